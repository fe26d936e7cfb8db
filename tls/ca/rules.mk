programs += sallyport-ca
sallyport-ca.srcs := $(wildcard tls/ca/*.c)
sallyport-ca.archives := keyd base
sallyport-ca.libs := -lcrypto
# What has paths compiled in is compiled again when they change.
$(BUILD)/tls/ca/main.o: $(BUILD)/.paths
