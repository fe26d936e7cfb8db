# Looking at security labels in files.
programs += sallyport-label
sallyport-label.srcs := $(wildcard control/label/*.c)
sallyport-label.archives := control policy base
