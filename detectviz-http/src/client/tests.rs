//! Behaviour of the client, over real sockets.
