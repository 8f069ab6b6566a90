//! Takes a port.
use super::ServerConfig;
use detectviz_core::error::{Error, ErrorKind};
use socket2::{Domain, Protocol, Socket, Type};
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
