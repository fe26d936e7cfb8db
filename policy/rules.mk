archives += policy
policy.srcs := $(wildcard policy/*.c)
policy.libs := -lunistring
