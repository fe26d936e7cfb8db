archives += base
base.srcs := $(wildcard dataplane/base/*.c)
