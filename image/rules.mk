# make install: everything under $(DESTDIR), found from where it will be. Users are made by systemd-sysusers, or by hand.
# A configuration that is there is kept; the new one is put beside it.
SBINDIR := $(PREFIX)/sbin
MANDIR := $(PREFIX)/share/man
UNITDIR := $(PREFIX)/lib/systemd/system
SYSUSERSDIR := $(PREFIX)/lib/sysusers.d
CONFDIR = $(SYSCONFDIR)/sallyport
installed_helpers := sallyport-dataplane sallyport-tls sallyport-keyd sallyport-control sallyport-ca sallyport-policy sallyport-label

install: all
	$(Q)install -d $(addprefix $(DESTDIR),$(SBINDIR) $(LIBEXECDIR) $(UNITDIR) $(SYSUSERSDIR) $(CONFDIR) \
		$(MANDIR)/man1 $(MANDIR)/man8)
	$(Q)install -m 755 $(addprefix $(BUILD)/,sallyportd sallyport) $(DESTDIR)$(SBINDIR)
	$(Q)install -m 755 $(addprefix $(BUILD)/,$(installed_helpers)) $(DESTDIR)$(LIBEXECDIR)
	$(Q)new=; [ ! -e $(DESTDIR)$(CONFDIR)/sallyport.conf ] || new=.new; \
		install -m 640 image/sallyport.conf $(DESTDIR)$(CONFDIR)/sallyport.conf$$new
	$(Q)sed 's,@SBINDIR@,$(SBINDIR),' image/sallyport.service > $(DESTDIR)$(UNITDIR)/sallyport.service
	$(Q)chmod 644 $(DESTDIR)$(UNITDIR)/sallyport.service
	$(Q)install -m 644 image/sallyport.sysusers $(DESTDIR)$(SYSUSERSDIR)/sallyport.conf
	$(Q)for page in $(wildcard control/*/*.[18]); do install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.} || exit 1; done
	@echo "  INSTALLED  $(DESTDIR)$(PREFIX); configuration in $(DESTDIR)$(CONFDIR)"
