#!/usr/bin/lua5.4
-- The trees of a stream, as Prosody reads them; see README.md.
package.path = "/usr/lib/prosody/?.lua;" .. package.path
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath
local new_stream = require "util.xmppstream".new

local SERVER, NAMESPACE_OF_XML = "jabber:server", "http://www.w3.org/XML/1998/namespace"
local out, header_lang = {}, nil

local function escaped(text)
	return (text:gsub(".", function (c)
		local plain = c > " " and c <= "~" and not ('\\"{}'):find(c, 1, true)
		return not plain and ("\\x%02x"):format(c:byte()) or nil
	end))
end

-- Prosody keeps a namespace and a name with a separator between them.
local function name_of(key)
	local ns, name = key:match("^([^\1]*)\1(.*)$")
	if not ns then
		name = key:match("^xml:(.*)$")
		ns, name = name and NAMESPACE_OF_XML or "", name or key
	end
	return "{" .. escaped(ns) .. "}" .. escaped(name)
end

local function put(node, is_top)
	local attributes = {}
	for key, value in pairs(node.attr) do
		-- Each stanza is given the language of the header.
		if key ~= "xmlns" and not (is_top and key == "xml:lang" and value == header_lang) then
			attributes[#attributes + 1] = name_of(key) .. '="' .. escaped(value) .. '"'
		end
	end
	table.sort(attributes)
	table.insert(attributes, 1, "<{" .. escaped(node.attr.xmlns or SERVER) .. "}" .. escaped(node.name))
	out[#out + 1] = table.concat(attributes, " ")
	for _, child in ipairs(node) do
		if type(child) == "string" then
			out[#out + 1] = '"' .. escaped(child)
		else
			put(child, false)
		end
	end
	out[#out + 1] = ">"
end

local session = { notopen = true }
local stream = new_stream(session, {
	default_ns = SERVER,
	streamopened = function (_, attr) session.notopen, header_lang = nil, attr["xml:lang"] or "en" end,
	streamclosed = function () end,
	handlestanza = function (_, stanza) put(stanza, true) end,
	error = function (_, fault, more)
		if fault ~= "stream-error" then
			error(tostring(fault) .. " " .. tostring(more))
		end
		put(more, true)
	end,
})
local ok, fault = stream:feed(io.read("a"))
if #out > 0 then
	print(table.concat(out, "\n"))
end
if not ok then
	io.stderr:write(tostring(fault), "\n")
	os.exit(1)
end
