#!/usr/bin/env escript
%% -*- erlang -*-
%% The trees of a stream, as ejabberd reads them; see README.md.
-mode(compile).

main(_) ->
    ok = io:setopts(standard_io, [binary, {encoding, latin1}]),
    Stream = fxml_stream:new(self(), 64 * 1024 * 1024, [no_gen_server]),
    fxml_stream:parse(Stream, read([])),
    Bound = receive
                {'$gen_event', Event} -> header(Event);
                {xmlstreamstart, _, _} = Event -> header(Event)
            after 0 -> fault("no stream")
            end,
    stanzas(Bound).

read(Parts) ->
    case file:read(standard_io, 65536) of
        {ok, Bytes} -> read([Parts, Bytes]);
        eof -> iolist_to_binary(Parts)
    end.

fault(Why) ->
    io:put_chars(standard_error, [Why, "\n"]),
    halt(1).

header({xmlstreamstart, _, Attributes}) -> bound(Attributes, #{<<"xml">> => <<"http://www.w3.org/XML/1998/namespace">>});
header(Other) -> fault(io_lib:format("~p", [Other])).

stanzas(Bound) ->
    receive
        {xmlstreamelement, Element} ->
            file:write(standard_io, tree(Element, Bound)),
            stanzas(Bound);
        {xmlstreamend, _} -> stanzas(Bound);
        Other -> fault(io_lib:format("~p", [Other]))
    after 0 -> ok
    end.

%% What prefixes mean; <<>> is the default.
bound(Attributes, Before) ->
    lists:foldl(fun({<<"xmlns">>, Ns}, Bound) -> Bound#{<<>> => Ns};
                   ({<<"xmlns:", Prefix/binary>>, Ns}, Bound) -> Bound#{Prefix => Ns};
                   (_, Bound) -> Bound
                end, Before, Attributes).

is_declaration(<<"xmlns">>) -> true;
is_declaration(<<"xmlns:", _/binary>>) -> true;
is_declaration(_) -> false.

name(Name, Bound, Default) ->
    {Ns, Local} = case binary:split(Name, <<":">>) of
                      [Prefix, Rest] -> {maps:get(Prefix, Bound), Rest};
                      [_] -> {Default, Name}
                  end,
    ["{", escaped(Ns), "}", escaped(Local)].

tree({xmlel, Name, Attributes, Children}, Before) ->
    Bound = bound(Attributes, Before),
    Texts = [iolist_to_binary([" ", name(Key, Bound, <<>>), "=\"", escaped(Value), "\""])
             || {Key, Value} <- Attributes, not is_declaration(Key)],
    ["<", name(Name, Bound, maps:get(<<>>, Bound, <<>>)), lists:sort(Texts), "\n",
     [tree(Child, Bound) || Child <- joined(Children)], ">\n"];
tree({xmlcdata, Text}, _) ->
    ["\"", escaped(Text), "\n"].

joined([{xmlcdata, A}, {xmlcdata, B} | Rest]) -> joined([{xmlcdata, <<A/binary, B/binary>>} | Rest]);
joined([Child | Rest]) -> [Child | joined(Rest)];
joined([]) -> [].

escaped(Text) -> [escaped_byte(Byte) || <<Byte>> <= Text].

escaped_byte(Byte) when Byte =< 32; Byte > 126; Byte =:= $\\; Byte =:= $"; Byte =:= ${; Byte =:= $} ->
    io_lib:format("\\x~2.16.0b", [Byte]);
escaped_byte(Byte) -> Byte.
