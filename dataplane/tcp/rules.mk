archives += tcp
tcp.srcs := $(wildcard dataplane/tcp/*.c)
