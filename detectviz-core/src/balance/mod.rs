//! Which endpoint gets the call.
