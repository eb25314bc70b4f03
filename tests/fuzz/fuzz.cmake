bos_fuzz(json USES http)
bos_fuzz(stripe_event USES stripe)
bos_fuzz(rpc_scan USES rpc LIBS bos_pb_rpc)
