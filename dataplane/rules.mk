archives += dataplane
dataplane.srcs := $(filter-out dataplane/main.c,$(wildcard dataplane/*.c))
dataplane.libs := $(dpdk_libs)
cflags.dataplane = $(dpdk_cflags)

programs += sallyport-dataplane
sallyport-dataplane.srcs := dataplane/main.c
sallyport-dataplane.archives := dataplane tcp base
