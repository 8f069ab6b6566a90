//! The programs under the gates, in release mode.
pub(crate) use detectviz_tests::optimised as program;
