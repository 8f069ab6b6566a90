//! The whole server stack in its order.
