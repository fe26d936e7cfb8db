programs += sallyport
sallyport.srcs := control/cli/sallyport.c
