-- Writes who signed the certificate that a federated server showed, so that a test can read it in the server's log.
module:set_global();

local function common_name(name)
	for _, part in ipairs(name) do
		if part.name == "commonName" then return part.value; end
	end
	return "?";
end

module:hook("s2s-check-certificate", function (event)
	local cert = event.cert;
	if not cert then
		event.session.log("info", "peer certificate: none from %s", event.host or "?");
		return;
	end
	event.session.log("info", "peer certificate: host=%s subject=%s issuer=%s not_after=%s", event.host or "?",
		common_name(cert:subject()), common_name(cert:issuer()), cert:notafter());
end, 1000);
