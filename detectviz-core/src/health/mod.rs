//! Health: whether this process deserves traffic.
