//! What the request path promises, proved with real processes and real sockets: under load, when clients go away, when
//! upstreams fail.
//!
//! By default each proof takes seconds; `DETECTVIZ_TEST_FULL=1` runs them for as long as the promise says.
#![cfg(test)]

mod cancel;
mod deadline;
mod failing;
mod gone;
mod half_open;
mod outcomes;
mod overload;
mod rates;
mod reload;
