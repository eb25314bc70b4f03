bos_test(jobs/scheduler USES jobs THREADS)
