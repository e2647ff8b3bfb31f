# Where headwater-origin reads (`--listen`). The one file of this recipe that differs between sites.

backend headwater {
    .host = "127.0.0.1";
    .port = "9094";

    .connect_timeout = 1s;
    # An announced segment is answered at once, but its first byte, and a held playlist, may take as long as the
    # origin's `hold-limit` (40 s): both times must be above it.
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 60s;

    # One origin needs no probe: when it is down, connections to it fail at once. Several mirrors do, under a director
    # of vmod directors. /readyz is no target, for a probe goes to the port above and not to the admin port; this asks
    # whether the origin answers there, which a draining one does not.
    #
    # .probe = {
    #     .request = "OPTIONS / HTTP/1.1" "Host: probe" "Connection: close";
    #     .expected_response = 204;
    #     .interval = 1s;
    #     .timeout = 1s;
    #     .window = 4;
    #     .threshold = 2;
    # }
}
