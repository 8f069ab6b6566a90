//! What of a kubeconfig is served, and what is refused.
use super::support::{Dir, Pod, fetch, password, reader};
use detectviz_core::{config::check, secret::SecretErrorKind};
use detectviz_secrets::kubernetes::{KubernetesConfig, KubernetesStore};
use std::{path::Path, time::Duration};

fn store(pod: &Pod, path: &Path, context: &str) -> KubernetesStore {
    let config = KubernetesConfig::default()
        .kubeconfig(path)
        .context(context);
    config.build(|_| None, &pod.tasks).expect("a kubeconfig")
}

#[tokio::test]
async fn what_would_skip_a_check_or_take_another_way_is_refused_and_nothing_is_repeated() {
    let pod = Pod::start();
    let right = pod.cluster.kubeconfig(&pod.token);
    let user = format!("    token: {}\n", pod.token);
    let data = right
        .lines()
        .find(|line| line.contains("-data: "))
        .expect("an authority");
    let server = right
        .lines()
        .find(|line| line.contains("server: "))
        .expect("a server");
    let cluster = |line: &str| right.replace(server, &format!("{server}\n    {line}"));
    let user = |line: &str| right.replace(&user, &format!("    {line}\n"));
    for (text, context, said) in [
        (
            user("exec: {apiVersion: v1, command: canary}"),
            "",
            "runs a program (`exec`)",
        ),
        (
            user("auth-provider: {name: canary}"),
            "",
            "has an `auth-provider`",
        ),
        (
            user("{username: canary, password: canary}"),
            "",
            "a user name with a password",
        ),
        (user("{token: x, as: canary}"), "", "acts as somebody else"),
        (
            user("client-certificate-data: canary!"),
            "",
            "is not base64",
        ),
        (
            user("client-certificate-data: Y2FuYXJ5"),
            "",
            "holds no certificate",
        ),
        (
            user("client-key-data: Y2FuYXJ5"),
            "",
            "half a client certificate",
        ),
        (user("tokenFile: absent"), "", "absent cannot be read"),
        (
            cluster("insecure-skip-tls-verify: true"),
            "",
            "trusts every server",
        ),
        (cluster("proxy-url: http://canary"), "", "has a `proxy-url`"),
        (
            cluster("tls-server-name: 'canary !'"),
            "",
            "has a `tls-server-name` that is no name",
        ),
        (
            right.replace(data, ""),
            "",
            "without a certificate authority",
        ),
        (
            right.replace("https://", "http://"),
            "",
            "would send credentials without TLS",
        ),
        (
            right.replace("https://", "canary://"),
            "",
            "has a cluster without a URL",
        ),
        (
            right.replace("current-context: model", ""),
            "",
            "has no current-context",
        ),
        (right.clone(), "absent", "context `absent` of "),
        (
            right.replace("cluster: model", "cluster: absent"),
            "",
            "names a cluster that is not there",
        ),
        (
            "users: [{name: canary, user: {token: canary".to_owned(),
            "",
            "is no kubeconfig",
        ),
        ("canary".to_owned(), "", "is no kubeconfig"),
    ] {
        let dir = Dir::new();
        let path = dir.write("config", &text);
        let err = fetch(&store(&pod, &path, context), "db")
            .await
            .expect_err(said);
        assert_eq!(err.kind(), SecretErrorKind::Unavailable);
        let shown = format!("{err} {err:?}");
        assert!(shown.contains(said), "{said}: {shown}");
        assert!(shown.contains(&*dir.path().to_string_lossy()), "{shown}");
        assert!(
            !shown.contains("canary") && !shown.contains(&pod.token),
            "{shown}"
        );
    }
    assert!(pod.cluster.requests("get").is_empty(), "nobody was asked");
}

#[tokio::test]
async fn files_beside_it_a_server_name_a_namespace_and_a_client_certificate_are_served() {
    let pod = Pod::start();
    let dir = Dir::new();
    pod.cluster.mount(dir.path(), "shop", &pod.token);
    let (certificate, key) = pod.cluster.certificate("orders", &[reader()]);
    dir.write("orders.crt", &certificate);
    dir.write("orders.key", &key);
    let url = pod.cluster.url();
    let text = format!(
        "clusters: [{{name: a, cluster: {{server: '{url}/', certificate-authority: ca.crt, tls-server-name: kubernetes}}}}]\n\
         users:\n- {{name: file, user: {{tokenFile: token}}}}\n\
         - {{name: certificate, user: {{client-certificate: orders.crt, client-key: orders.key}}}}\n\
         contexts:\n- {{name: file, context: {{cluster: a, user: file, namespace: shop}}}}\n\
         - {{name: certificate, context: {{cluster: a, user: certificate, namespace: shop}}}}\n"
    );
    let path = dir.write("config", &text);
    for context in ["file", "certificate"] {
        assert_eq!(
            password(&store(&pod, &path, context)).await,
            "hunter2",
            "{context}"
        );
    }
    // The token is read for every request.
    let by_file = store(&pod, &path, "file");
    assert_eq!(password(&by_file).await, "hunter2");
    pod.cluster.expire(&pod.token);
    pod.cluster.mount(
        dir.path(),
        "shop",
        &pod.cluster.account("shop", "orders", &[reader()]),
    );
    assert_eq!(password(&by_file).await, "hunter2");
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_read() {
    assert!(check(&KubernetesConfig::default()).is_ok());
    for (config, said) in [
        (
            KubernetesConfig::default().namespace("Shop"),
            "no name of a namespace",
        ),
        (
            KubernetesConfig::default().context("a"),
            "only a kubeconfig has contexts",
        ),
        (
            KubernetesConfig::default().service_account("tokens"),
            "no absolute path",
        ),
        (
            KubernetesConfig::default().timeout(Duration::ZERO),
            "in no time",
        ),
    ] {
        let problems = check(&config).expect_err(said).to_string();
        assert!(problems.contains(said), "{problems}");
    }
}
