//! The Role that the guide and the errors tell to write is enough, and not more than that.
use super::support::{Pod, changed, fetch, password, reference, text};
use detectviz_core::secret::SecretsProvider;
use detectviz_tests::{kubernetes::Rule, repository, yaml::to_json};
use serde_json::Value;

fn words(value: &Value) -> Vec<&str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).collect()
}

/// What a Role lets do with Secrets.
fn rules(role: &Value) -> Vec<Rule> {
    assert_eq!(role["kind"], "Role");
    let namespace = role["metadata"]["namespace"].as_str().expect("a namespace");
    let rules = role["rules"].as_array().expect("a list").iter();
    rules
        .map(|rule| {
            assert_eq!(
                (words(&rule["apiGroups"]), words(&rule["resources"])),
                (vec![""], vec!["secrets"])
            );
            Rule::new(
                namespace,
                &words(&rule["verbs"]),
                &words(&rule["resourceNames"]),
            )
        })
        .collect()
}

/// A RoleBinding gives the Role to the account `orders`.
fn binds(binding: &Value, role: &Value) {
    assert_eq!(binding["kind"], "RoleBinding");
    assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
    assert_eq!(
        binding["metadata"]["namespace"],
        role["metadata"]["namespace"]
    );
    let subject = &binding["subjects"][0];
    let subject =
        ["kind", "namespace", "name"].map(|key| subject[key].as_str().unwrap_or_default());
    assert_eq!(subject, ["ServiceAccount", "shop", "orders"]);
}

/// A change is seen with `rules`, and another Secret is not.
async fn enough(rules: &[Rule]) {
    let pod = Pod::start();
    pod.cluster.allow(&pod.token, rules);
    let keeper = pod.keeper();
    let mut watch = keeper
        .watch(&reference("db"))
        .await
        .expect("it may be read");
    pod.cluster.watched(1).await;
    pod.cluster.put("shop", "db", &[("password", b"two")]);
    assert_eq!(text(&changed(&mut watch).await, "password"), "two");
    assert!(fetch(&pod.store(), "other").await.is_err());
}

#[tokio::test]
async fn the_role_in_the_guide_is_enough() {
    let guide = repository::text("docs/guides/secrets-kubernetes.md");
    let blocks = guide.split("```yml\n").skip(1);
    let blocks: Vec<Value> = blocks
        .filter_map(|rest| rest.split("```").next())
        .map(to_json)
        .collect();
    let [role, binding] = &*blocks else {
        panic!("a Role and a RoleBinding: {blocks:?}");
    };
    binds(binding, role);
    enough(&rules(role)).await;
}

#[tokio::test]
async fn the_role_in_the_error_is_enough() {
    let pod = Pod::start();
    pod.cluster.allow(&pod.token, &[]);
    let store = pod.store();
    let err = fetch(&store, "db")
        .await
        .expect_err("nothing is allowed")
        .to_string();
    let (_, manifests) = err.split_once(": apply ").expect("a remedy");
    let (role, binding) = manifests.split_once(" and ").expect("two manifests");
    let (role, binding) = (to_json(role), to_json(binding));
    binds(&binding, &role);
    pod.cluster.allow(&pod.token, &rules(&role));
    assert_eq!(password(&store).await, "hunter2");
    enough(&rules(&role)).await;
}
