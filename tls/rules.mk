archives += tls
tls.srcs := $(filter-out tls/main.c,$(wildcard tls/*.c))
tls.libs := -lssl -lcrypto

programs += sallyport-tls
sallyport-tls.srcs := tls/main.c
sallyport-tls.archives := tls base
