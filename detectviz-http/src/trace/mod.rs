//! Opens the slot of a request.
