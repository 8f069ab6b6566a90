//! Bytes that no client should send.
use super::*;
use proptest::prelude::*;

/// Pieces of requests and of frames, so that random input comes further than the first line.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::sample::select(vec![
            "GET / HTTP/1.1\r\n",
            "POST /echo HTTP/1.1\r\n",
            "Host: a\r\n",
            "Content-Length: 3\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Connection: upgrade\r\nUpgrade: echo\r\n",
            "Expect: 100-continue\r\n",
            "\r\n",
            "3\r\nabc\r\n",
            "0\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\0\0\0\x04\0\0\0\0\0",
            "\0\0\x01\x01\x05\0\0\0\x01\u{2}",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_connection_panic_or_hang(bytes in bytes()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = fixture(ServerConfig {
                header_timeout: Duration::from_millis(20),
                idle_timeout: Duration::from_millis(20),
                progress_timeout: Duration::from_millis(20),
                ..config()
            });
            let mut client = server.memory().0;
            let (mut read, mut write) = tokio::io::split(&mut client);
            let mut said = Vec::new();
            within(async {
                tokio::join!(
                    async {
                        let _refused = write.write_all(&bytes).await;
                        let _refused = write.shutdown().await;
                    },
                    async { let _end = read.read_to_end(&mut said).await; },
                )
            }).await;
            server.open(0).await;
            server.tasks.cancel();
            within(server.tasks.join(BOUND)).await.unwrap();
        });
    }
}
