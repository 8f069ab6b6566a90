//! A secret that is kept, as the request path reads it.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
};
use arc_swap::ArcSwap;
use detectviz_core::secret::{Secret, SecretBundle, SecretPublisher, SecretRef, SecretVersion};
use std::{hint::black_box, sync::Arc};

pub(crate) fn rows(table: &mut Table) {
    if !table.wants("secret, cached") {
        return;
    }
    let version = SecretVersion {
        sequence: 1,
        label: None,
    };
    let publisher = SecretPublisher::new(SecretBundle::single(Secret::from("hunter2"), version));
    let watch = publisher.subscribe();
    let read = Contestant::batches("detectviz, the bundle", |calls| {
        for _ in 0..calls {
            drop(black_box(black_box(&watch).latest()));
        }
    });
    let reference: SecretRef = "${secret:env:A}".parse().expect("it is valid");
    let shown = Contestant::batches("detectviz, a value compared", |calls| {
        for _ in 0..calls {
            let bundle = black_box(&watch).latest();
            let value = bundle.value(&reference).expect("it has one");
            assert!(value.matches(black_box(b"hunter2")));
        }
    });
    let swap = ArcSwap::new(Arc::new(7_u64));
    let theirs = Contestant::batches("a load of an ArcSwap", |calls| {
        for _ in 0..calls {
            drop(black_box(black_box(&swap).load()));
        }
    });
    let row = Row::new("secret, cached", read);
    table.row(row.beside(theirs, Bounds::most(3.0)).shown(shown));
}
