use super::*;
use http::Method;

fn table() -> RouteTable {
    RouteTable::builder()
        .route("/")
        .route("/orders/{id}")
        .route_for(&Method::GET, "/orders")
        .route_for(&Method::POST, "/orders")
        .route_for(&Method::GET, "/items/{id}")
        .route("/items/{id}")
        .route("/files/{*path}")
        .probe("/livez")
        .build()
        .unwrap()
}

#[test]
fn a_request_has_the_template_of_its_path_and_method() {
    let table = table();
    for (method, path, template) in [
        ("GET", "/", "/"),
        ("GET", "/orders/7", "/orders/{id}"),
        ("BREW", "/orders/7", "/orders/{id}"),
        ("GET", "/orders", "/orders"),
        ("HEAD", "/orders", "/orders"),
        ("DELETE", "/orders", ""),
        ("PUT", "/items/1", "/items/{id}"),
        ("GET", "/files/a/b", "/files/{*path}"),
        ("GET", "/livez", "/livez"),
        ("GET", "/orders/7/lines", ""),
        ("GET", "/nothing", ""),
        ("OPTIONS", "*", ""),
        ("GET", "", ""),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let found = table.find(&method, path);
        assert_eq!(table.template(found.route), template, "{method} {path}");
        assert_eq!(found.quiet, path == "/livez");
    }
}

#[test]
fn routes_that_mean_the_same_paths_are_refused_by_name() {
    for (one, two) in [
        ("/a/{id}", "/a/{name}"),
        ("/a", "/a"),
        ("/ok", "/a/{id"),
        ("/ok", "/{*rest}/a"),
    ] {
        let err = RouteTable::builder()
            .route(one)
            .route(two)
            .build()
            .unwrap_err();
        assert!([one, two].contains(&err.template()), "{err}");
        assert!(err.to_string().contains("write it as"), "{err}");
    }
}

#[test]
fn a_framework_tells_the_route_of_the_request_in_place() {
    let table = table();
    matched("/outside");
    assert_eq!(current(&table), None);
    let mut scope = Some(Box::new(Scope::of(&table, &Method::GET, "/unknown")));
    {
        let _entered = Scope::enter(&mut scope);
        assert_eq!(current(&table), Some(Match::default()));
        assert_eq!(current(&RouteTable::new()), None, "of another table");
        matched("/users/{id}");
        quiet();
    }
    assert_eq!(current(&table), None);
    let found = scope.unwrap().found();
    assert!(found.quiet);
    assert_eq!(table.template(found.route), "/users/{id}");
    assert_eq!(table.learn("/users/{id}"), found.route);
    assert_eq!(table.template(table.learn("/outside")), "/outside");
}

#[test]
fn what_a_framework_tells_reaches_the_tables_of_all_layers() {
    let (outer, inner) = (table(), RouteTable::new());
    let mut around = Some(Box::new(Scope::of(&outer, &Method::GET, "/users/1")));
    let mut within = Some(Box::new(Scope::of(&inner, &Method::GET, "/users/1")));
    {
        let _around = Scope::enter(&mut around);
        {
            let _within = Scope::enter(&mut within);
            matched("/users/{id}");
        }
        let mut none = None;
        let _none = Scope::enter(&mut none);
        assert!(current(&outer).is_some());
    }
    let found = around.unwrap().found();
    assert_eq!(outer.template(found.route), "/users/{id}");
    assert!(!found.quiet);
}

#[test]
fn a_scope_does_not_outlive_a_panic() {
    let table = table();
    let mut scope = Some(Box::new(Scope::of(&table, &Method::GET, "/")));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _entered = Scope::enter(&mut scope);
        panic!("on purpose");
    }));
    assert!(result.is_err() && scope.is_some());
    assert_eq!(current(&table), None);
}

#[test]
fn a_table_learns_a_thousand_templates_and_no_more() {
    let table = table();
    let learned: Vec<_> = (0..2000).map(|n| table.learn(&format!("/{n}"))).collect();
    let last = RouteTable::LEARNED - 1;
    assert_eq!(table.template(learned[last]), format!("/{last}"));
    assert_eq!(learned[last].index(), table.capacity() - 1);
    assert!(
        learned[last + 1..]
            .iter()
            .all(|route| *route == Route::NONE)
    );
    assert_eq!(table.learn("/0"), learned[0]);
}

#[test]
fn unknown_methods_share_one_name() {
    for (method, name) in [
        ("GET", "GET"),
        ("PATCH", "PATCH"),
        ("BREW", "_OTHER"),
        ("get", "_OTHER"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(MethodName::of(&method).as_str(), name);
    }
    assert_eq!(MethodName::OTHER.as_str(), "_OTHER");
}

#[test]
fn a_title_is_method_and_template() {
    let table = table();
    let route = table.learn("/orders/{id}");
    let other = Method::from_bytes(b"BREW").unwrap();
    for (route, method, title) in [
        (route, &Method::GET, "GET /orders/{id}"),
        (route, &other, "HTTP /orders/{id}"),
        (Route::NONE, &Method::PUT, "PUT"),
        (Route::NONE, &other, "HTTP"),
    ] {
        let name = MethodName::of(method);
        assert_eq!(&*table.read_title(route, name, Clone::clone), title);
    }
}
