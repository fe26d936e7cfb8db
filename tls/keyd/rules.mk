archives += keyd
keyd.srcs := tls/keyd/mint.c tls/keyd/serve.c
keyd.libs := -lcrypto

programs += sallyport-keyd
sallyport-keyd.srcs := tls/keyd/main.c
sallyport-keyd.archives := keyd base
