use super::*;
use crate::domain::plant::testing;

const FOREST: &str = "home";

fn node(id: &str, addresses: &[&str], running: bool) -> Node {
    let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
    Node { id: id.to_owned(), addresses, running: Some(running) }
}

fn read(text: &str) -> Document {
    Document::parse(text, FOREST).expect("a registry")
}

fn nodes(document: &Document) -> Value {
    document.0["nodes"][FOREST].clone()
}

#[test]
fn a_node_is_added_as_nimsforest_reads_it() {
    let mut document = read("");
    let change = Change::Put(vec![node("vr-linux", &["192.0.2.7", "2001:db8::7"], true)]);
    assert_eq!(document.apply(FOREST, &change), []);
    testing::snapshot("plant_registry", &document.text());
    let before = document.clone();
    assert_eq!(document.apply(FOREST, &change), []);
    assert_eq!(document, before, "the same again changes nothing");
}

#[test]
fn what_isnt_ours_stays() {
    let foreign = r#"{"version": 3, "nodes": {"other": [{"id": "vr-linux"}],
        "home": [{"id": "hub", "ip": "192.0.2.1"}, {"id": "vr-linux", "managed_by": "morpheus", "note": "x", "ip": "192.0.2.9"}]}}"#;
    let mut document = read(foreign);
    let change = Change::Put(vec![node("hub", &["192.0.2.7"], true), node("vr-linux", &["192.0.2.8"], false)]);
    assert_eq!(document.apply(FOREST, &change), [Left { id: "hub".to_owned(), why: Why::Foreign }]);
    assert_eq!(
        nodes(&document),
        json!([{"id": "hub", "ip": "192.0.2.1"}, {"id": "vr-linux", "managed_by": "morpheus", "note": "x",
            "forest_id": "home", "ip": "192.0.2.8", "ipv4": "192.0.2.8", "state": "stopped"}])
    );
    let gone = Change::Remove(vec!["hub".to_owned(), "vr-linux".to_owned(), "never".to_owned()]);
    assert_eq!(document.apply(FOREST, &gone), [Left { id: "hub".to_owned(), why: Why::Foreign }]);
    assert_eq!(nodes(&document), json!([{"id": "hub", "ip": "192.0.2.1"}]));
    assert_eq!(document.0["version"], json!(3));
    assert_eq!(document.0["nodes"]["other"], json!([{"id": "vr-linux"}]));
}

#[test]
fn an_unknown_address_keeps_the_one_that_is_written_and_else_is_the_name() {
    let mut document = read("");
    assert_eq!(document.apply(FOREST, &Change::Put(vec![node("a", &[], true)])), []);
    assert_eq!(nodes(&document)[0]["ip"], json!("a"), "an empty one is whoever reads it");
    assert_eq!(document.ours(FOREST), ["a".to_owned()].into());
    assert_eq!(document.apply(FOREST, &Change::Put(vec![node("a", &["192.0.2.7"], true)])), []);
    assert_eq!(document.apply(FOREST, &Change::Running(vec![node("a", &[], false), node("b", &[], true)])), []);
    let (list, a) = (nodes(&document), nodes(&document)[0].clone());
    assert_eq!(
        (list.as_array().map(Vec::len), &a["ip"], &a["state"]),
        (Some(1), &json!("192.0.2.7"), &json!("stopped"))
    );
}

#[test]
fn an_address_that_went_is_taken_out() {
    let mut document = read("");
    document.apply(FOREST, &Change::Put(vec![node("a", &["192.0.2.7", "2001:db8::7"], true)]));
    document.apply(FOREST, &Change::Put(vec![node("a", &["192.0.2.8"], true)]));
    let a = nodes(&document)[0].clone();
    assert_eq!((&a["ip"], a.get("ipv6")), (&json!("192.0.2.8"), None));
}

#[test]
fn what_is_no_registry_is_refused_and_never_overwritten() {
    for (text, why) in [
        ("<html>", "it is no JSON: expected value at line 1 column 1"),
        ("[]", "it is no JSON object"),
        (r#"{"message": "not here"}"#, "it has no 'nodes', so it is something else"),
        (r#"{"nodes": []}"#, "'nodes' is no JSON object"),
        (r#"{"nodes": {"home": {}}}"#, "the forest's nodes are no JSON list"),
    ] {
        assert_eq!(Document::parse(text, FOREST).expect_err(text).to_string(), why);
    }
    for text in ["{}", r#"{"nodes": null}"#, r#"{"nodes": {"home": null}}"#] {
        let mut document = read(text);
        document.apply(FOREST, &Change::Put(vec![node("a", &["192.0.2.7"], true)]));
        assert_eq!(nodes(&document)[0]["id"], json!("a"), "{text}");
    }
}
