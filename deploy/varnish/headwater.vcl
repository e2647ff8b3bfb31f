vcl 4.1;

# Varnish 7.1 or later as a cache in front of headwater-origin: however many readers a segment has, and whenever in its
# growth they come, the origin sends it once.
#
#     varnishd -f /etc/varnish/headwater.vcl -a :80 -s malloc,2G -p thread_pool_min=500 -p thread_pool_max=5000
#
# - The origin's address stands in backend.vcl, beside this file.
# - A reader of a growing segment keeps a thread for as long as it reads: thread_pool_max, times thread_pools (2), is
#   how many there can be at once. Threads that are there already (thread_pool_min) answer soonest.
# - `-s malloc` is for segments: room for a window of all streams and what readers may still ask for. Playlists live
#   for seconds and are kept in Transient, beside it.
# - Varnish opens no TLS. Put hitch or HAProxy before it, and reach the origin over a network that you trust.
# - Varnish checks no signature: where the origin asks for signed URLs, whoever knows an object's path may read from
#   this cache what somebody with a signature has brought into it. See docs/access.md.
#
# Responses are kept for as long as the origin says, and no longer. Nothing has to be purged, since no name is used
# twice; of uploaders that do use names twice tells docs/caching.md.

import std;

include "./backend.vcl";

sub vcl_recv {
    unset req.http.Proxy;

    # Uploads go to the origin itself, at best to its publish-listen, never through a cache.
    if (req.method != "GET" && req.method != "HEAD" && req.method != "OPTIONS") {
        return (synth(405, "Method Not Allowed"));
    }
    # Preflights: the origin decides, browsers remember (Access-Control-Max-Age).
    if (req.method == "OPTIONS") {
        return (pass);
    }
    # To a client without chunks the end of the connection is the end of the object, and one that was cut looks whole.
    # nginx is such a client unless told `proxy_http_version 1.1`.
    if (req.proto == "HTTP/1.0") {
        return (synth(505, "HTTP Version Not Supported"));
    }
    if (!req.http.Host && req.proto == "HTTP/1.1") {
        return (synth(400, "Bad Request"));
    }
    # Of a complete object Varnish sends one range, and answers 416 to several, where the whole is right. Of an object
    # that is still being fetched it sends the whole.
    if (req.http.Range && req.http.Range !~ "(?i)^bytes=([0-9]+-[0-9]*|-[0-9]+)$") {
        unset req.http.Range;
    }
    # Readers are told apart by nothing but the signature, which may be a cookie; it does not change what is sent.
    unset req.http.Authorization;
    return (hash);
}

# The path is the key, as it is the origin's. Of the query only the LL-HLS directives choose a response, in whatever
# order they come; tokens, session ids and cache busters must not divide the cache. The origin is sent all of it.
sub vcl_hash {
    hash_data(regsub(req.url, "\?.*$", ""));
    if (req.url ~ "[?&]_HLS_") {
        hash_data(regsub(
            regsuball(std.querysort(req.url), "(^[^?]*\?|(?<=[?&])(?!_HLS_)[^&]+(&|$))", ""),
            "[?&]+$", ""));
    }
    return (lookup);
}

sub vcl_backend_response {
    # Readers get what has come while the rest of it comes, and so do those who ask later: all from one fetch. When that
    # fetch breaks off, Varnish cuts them all, without a last chunk, and forgets the object.
    set beresp.do_stream = true;

    # Nothing is served past its time. By default Varnish would send an old response for 10 s more while it asks for a
    # new one: an old playlist holds players back, and an old 404 hides a segment that has come. Those who wait for the
    # new one share one fetch.
    set beresp.grace = 0s;

    # What caches are told apart from browsers (RFC 9213): Surrogate-Control first, then CDN-Cache-Control. They are
    # meant for this cache; where another CDN stands before it, leave out the two lines with `unset`.
    set beresp.http.X-Policy = beresp.http.Cache-Control;
    if (beresp.http.Surrogate-Control || beresp.http.CDN-Cache-Control) {
        if (beresp.http.Surrogate-Control) {
            set beresp.http.X-Policy = beresp.http.Surrogate-Control;
        } else {
            set beresp.http.X-Policy = beresp.http.CDN-Cache-Control;
        }
        set beresp.ttl = 0s;
        if (beresp.http.X-Policy ~ "(?i)(^|[ ,])s-maxage=[0-9]") {
            set beresp.ttl = std.duration(
                regsub(beresp.http.X-Policy, "(?i)^(?:.*[ ,])?s-maxage=([0-9]+).*$", "\1s"), 0s);
        } elsif (beresp.http.X-Policy ~ "(?i)(^|[ ,])max-age=[0-9]") {
            set beresp.ttl = std.duration(
                regsub(beresp.http.X-Policy, "(?i)^(?:.*[ ,])?max-age=([0-9]+).*$", "\1s"), 0s);
        }
    }
    unset beresp.http.Surrogate-Control;
    unset beresp.http.CDN-Cache-Control;

    # Where nothing is said nothing is kept; Varnish would keep it for 2 min.
    if (beresp.http.X-Policy == "" || beresp.http.X-Policy ~ "(?i)(^|[ ,])(no-store|no-cache|private)" ||
        beresp.ttl <= 0s || beresp.http.Set-Cookie || beresp.http.Vary == "*") {
        call headwater_uncacheable;
    }
    unset beresp.http.X-Policy;
    return (deliver);
}

# Sends a response to the one who asked, and keeps nothing of it but a note, for a second, that those who ask for the
# same do not queue behind each other: each asks the origin. The first who gets something to keep ends that, and from
# then on all share it. (`pass` instead would keep it out of the cache for as long.)
sub headwater_uncacheable {
    set beresp.uncacheable = true;
    set beresp.ttl = 1s;
}

# The origin cannot be reached. Nor is this error kept; Varnish would, for a second and 5 s of grace.
sub vcl_backend_error {
    call headwater_uncacheable;
    set beresp.grace = 0s;
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Retry-After = "1";
    # Without it a player on another site learns nothing at all.
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.body = "" + beresp.status + " " + beresp.reason + {"
"};
    return (deliver);
}

sub vcl_deliver {
    # HIT also where the object still grows.
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
        # How long somebody else waited.
        unset resp.http.Headwater-Held;
    } elsif (obj.uncacheable) {
        set resp.http.X-Cache = "PASS";
    } else {
        set resp.http.X-Cache = "MISS";
    }
    return (deliver);
}

sub vcl_synth {
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    set resp.http.Cache-Control = "no-store";
    set resp.http.Access-Control-Allow-Origin = "*";
    if (resp.status == 405) {
        set resp.http.Allow = "GET, HEAD, OPTIONS";
    }
    if (resp.status == 503) {
        set resp.http.Retry-After = "1";
    }
    set resp.body = "" + resp.status + " " + resp.reason + {"
"};
    return (deliver);
}
