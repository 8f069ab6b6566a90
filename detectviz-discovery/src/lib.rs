//! Where is X: the sources that endpoints are known from, behind
//! [`ServiceDiscoveryProvider`](detectviz_core::discovery::ServiceDiscoveryProvider).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::discovery::ServiceDiscoveryProvider;
//! use detectviz_discovery::fixed::StaticConfig;
//!
//! let provider = StaticConfig::default().service("orders", ["127.0.0.1:8081", "127.0.0.1:8082"]).build();
//! let set = provider.instances("orders").await.expect("it is listed");
//! assert_eq!(set.endpoints().len(), 2);
//! assert!(provider.instances("basket").await.is_err());
//! # }
//! ```
pub mod fixed;
