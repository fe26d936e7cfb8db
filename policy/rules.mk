archives += policy
policy.srcs := $(wildcard policy/*.c)
