//! A client of one keep-alive connection that sends the same request again and again, and allocates nothing for it.
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// As load tools and proxies send it; the trace is sampled.
pub(crate) const SAMPLED: &[u8] =
    b"GET / HTTP/1.1\r\nhost: shop.example\r\nuser-agent: curl/8.5.0\r\n\
    traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n";

/// The same without a trace.
pub(crate) const PLAIN: &[u8] =
    b"GET / HTTP/1.1\r\nhost: shop.example\r\nuser-agent: curl/8.5.0\r\n\r\n";

/// How the answer of every server under the gates ends.
const END: &[u8] = b"\r\n\r\nhello";

/// Sends `request` and reads its answer, `times` times.
pub(crate) async fn ask(stream: &mut TcpStream, request: &[u8], times: u32) {
    let mut answer = [0; 1024];
    for _ in 0..times {
        stream.write_all(request).await.expect("the server reads");
        let mut length = 0;
        while !answer[..length].ends_with(END) {
            let read = stream.read(&mut answer[length..]).await;
            let read = read.expect("the server answers");
            assert!(read > 0, "the server closed the connection");
            length += read;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "it answers 200");
    }
}
