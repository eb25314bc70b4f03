bos_test(feed/hub USES feed THREADS)
