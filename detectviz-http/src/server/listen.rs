//! Takes a port.
use super::ServerConfig;
use detectviz_core::error::{Error, ErrorKind};
use socket2::{Domain, Protocol, Socket, Type};
#[cfg(any(target_os = "linux", target_os = "android"))]
use socket2::{SockFilter, SockRef};
use std::{
    io,
    net::{SocketAddr, TcpListener},
};

/// How many connections the system may keep until they are accepted.
const BACKLOG: i32 = 1024;

/// Binds and listens. `name` is the component's: where its settings stand.
///
/// # Errors
/// When the port is in use, not allowed, or the address is none of this machine's.
pub(super) fn listen(config: &ServerConfig, name: &str) -> Result<TcpListener, Error> {
    let address = SocketAddr::new(config.address, config.port);
    open(address).map_err(|err| refused(&err, address, name).with_source(err))
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Lets no new handshake begin, so that the backlog can be emptied for good before the port is closed: a connection that
/// the system has set up and nobody accepts is reset, and its client loses a request. Handshakes that have begun end. A
/// client that comes in between is refused when it tries again, a second later.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn shut_the_door(listener: &TcpListener) -> io::Result<()> {
    // Byte 13 of a TCP header are the flags (RFC 9293 §3.1); SYN without ACK opens a connection.
    const DROP_SYN: [SockFilter; 5] = [
        SockFilter::new(0x30, 0, 0, 13),
        SockFilter::new(0x54, 0, 0, 0x12),
        SockFilter::new(0x15, 1, 0, 0x02),
        SockFilter::new(0x06, 0, 0, u32::MAX),
        SockFilter::new(0x06, 0, 0, 0),
    ];
    SockRef::from(listener).attach_filter(&DROP_SYN)
}

/// Other systems have no such means, and a moment in which a client may lose.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn shut_the_door(_: &TcpListener) -> io::Result<()> {
    Ok(())
}

fn refused(err: &io::Error, address: SocketAddr, name: &str) -> Error {
    let port = address.port();
    let message = match err.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} is in use (`{name}.port`, on {address}): stop what listens there, or choose another port with --set {name}.port=<port>"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "port {port} is not allowed (`{name}.port`, on {address}): choose one above 1023 with --set {name}.port=<port>"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "{} is no address of this machine (`{name}.address`): choose another with --set {name}.address=0.0.0.0",
            address.ip()
        ),
        _ => format!("cannot listen on {address} (`{name}.address`, `{name}.port`): {err}"),
    };
    Error::new(ErrorKind::Unavailable, message)
}
