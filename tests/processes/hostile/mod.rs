//! Clients that are slow, greedy, wrong or too many.
mod h1spec;
mod h2spec;
mod heads;
mod limits;
mod slow;
