//! A small shop in one process, on loopback: a gateway in front of three instances of orders. Nothing to install.
mod embedded;
mod gateway;
mod hints;
mod shop;

use detectviz_core::runtime::{Builder, Kind};
use detectviz_http::kinds;
use std::process::ExitCode;

fn main() -> ExitCode {
    let shop = match shop::Shop::open() {
        Ok(shop) => shop,
        Err(err) => return shop::cannot_open(&err),
    };
    let (in_shop, to_hint) = (shop.clone(), shop.clone());
    Builder::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .composition(include_str!("../config/composition.yaml"))
        .app_config(include_str!("../config/app_config.yaml"))
        .flag("--port", "http.port", "the port of the gateway")
        .flag(
            "--admin-port",
            "admin.port",
            "the admin port of the gateway",
        )
        .flag(
            "--orders-1-port",
            "orders-1.port",
            "the port of the first orders",
        )
        .flag(
            "--orders-2-port",
            "orders-2.port",
            "the port of the second orders",
        )
        .flag(
            "--orders-3-port",
            "orders-3.port",
            "the port of the third orders",
        )
        .flag(
            "--orders-1-admin-port",
            "orders-1.admin_port",
            "the admin port of the first orders",
        )
        .flag(
            "--orders-2-admin-port",
            "orders-2.admin_port",
            "the admin port of the second orders",
        )
        .flag(
            "--orders-3-admin-port",
            "orders-3.admin_port",
            "the admin port of the third orders",
        )
        .discovery(move |_: shop::NoSettings, _| Ok(shop.discovery()))
        .kind(kinds::admin())
        .kind(kinds::client())
        .kind(Kind::new(
            "embedded-orders",
            "One instance of orders, a runtime of its own.",
            move |config, cx| Ok(embedded::Orders::new(cx, config, in_shop.clone())),
        ))
        .kind(kinds::server(gateway::app))
        .kind(Kind::new(
            "hints",
            "Prints what is worth trying.",
            move |_: shop::NoSettings, cx| hints::Hints::new(cx, to_hint.clone()),
        ))
        .run()
}
