//! Protocol-neutral protections around any call.
