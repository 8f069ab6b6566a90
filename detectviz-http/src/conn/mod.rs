//! What is known of the connection that a request came on.
