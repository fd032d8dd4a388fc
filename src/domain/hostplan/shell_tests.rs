use super::*;

const KEY: &str = "GRUB_CMDLINE_LINUX_DEFAULT";

fn one(text: &str) -> Assignment {
    let found = assignments(text, &[KEY]);
    assert_eq!(found.len(), 1, "{text}");
    found[0].clone()
}

#[test]
fn every_way_of_quoting_is_read_and_kept() {
    for (text, words, after) in [
        ("K=\"quiet\"\n", "quiet", "K=\"NEW\"\n"),
        ("K='quiet splash' # a remark\n", "quiet splash", "K='NEW' # a remark\n"),
        ("K=quiet\n", "quiet", "K=\"NEW\"\n"),
        ("K=\n", "", "K=\"NEW\"\n"),
        ("K=\"\"", "", "K=\"NEW\""),
        ("  export K=\"a\"\n", "a", "  export K=\"NEW\"\n"),
        ("K=\"a\"' b'\n", "a b", "K=\"NEW\"\n"),
        ("K=\"a \\\n  b\"\nX=1\n", "a \\\n  b", "K=\"NEW\"\nX=1\n"),
        ("K='a\n b'\n", "a\n b", "K='NEW'\n"),
        ("X=\"more\nK=1\nlines\"\nK=\"a\"\n", "a", "X=\"more\nK=1\nlines\"\nK=\"NEW\"\n"),
        ("# K=\"no\"\nK=\"a\"\n", "a", "# K=\"no\"\nK=\"NEW\"\n"),
        ("K+=\" a\"\n", " a", "K+=\"NEW\"\n"),
    ] {
        let text = text.replace('K', KEY);
        let found = one(&text);
        assert_eq!((found.words.as_str(), found.unclear), (words, None), "{text}");
        assert_eq!(found.rewrite(&text, "NEW"), after.replace('K', KEY), "{text}");
    }
}

#[test]
fn an_addition_to_what_was_there_is_one() {
    for (text, after) in [("K=\"$K quiet\"", "K=\"$K NEW\""), ("K=\"${K} quiet\"", "K=\"${K} NEW\"")] {
        let text = text.replace('K', KEY);
        let found = one(&text);
        assert_eq!((found.adds, found.unclear, found.words.as_str()), (true, None, " quiet"), "{text}");
        assert_eq!(found.rewrite(&text, " NEW"), after.replace('K', KEY));
    }
    assert!(one(&format!("{KEY}+=\" x\"")).adds);
    assert!(!one(&format!("{KEY}=\"x\"")).adds);
}

#[test]
fn what_only_a_shell_could_work_out_is_unclear() {
    for text in [
        "K=\"quiet $(cat /etc/extra)\"",
        "K=\"quiet $EXTRA\"",
        "K=`cat x`",
        "K=$EXTRA",
        "K=\"a\\\"b\"",
        "K=\"a\\\nb\"",
        "K=\"never closed\n",
        "K=a; echo b",
        "K=a command",
        "if true; then\n  K=\"a\"\nfi",
        "K=(a b)",
        "K='a=\"b c\"'x",
    ] {
        let found = one(&text.replace('K', KEY));
        assert!(found.unclear.is_some(), "{text}");
    }
    let found = &assignments(&format!("if x; then\nX=1\nfi\n{KEY}=a\n"), &[KEY])[0];
    assert_eq!((found.unclear, found.line), (None, 4));
}

#[test]
fn a_key_may_have_an_index() {
    let text = "KERNEL_CMDLINE[default]+=\"quiet\"\nKERNEL_CMDLINE[linux]=\"x\"\n";
    let found = assignments(text, &["KERNEL_CMDLINE[default]"]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].words.as_str(), found[0].adds), ("quiet", true));
}

#[test]
fn an_assignment_that_isnt_a_line_of_its_own_is_unclear() {
    for text in [
        "K = \"quiet\"",
        "[ -f /x ] && K=\"quiet\"",
        "X=5; K=\"quiet\"",
        "echo \" #\"; K=quiet",
        "echo x#; K=quiet",
        "X=\"5\" K+=quiet",
        "echo x; export K=y",
        "unset K",
        ". /etc/default/grub.local",
        "source /etc/default/grub.local",
    ] {
        let text = text.replace('K', KEY);
        assert!(one(&text).unclear.is_some(), "{text}");
    }
    for text in [
        "# K = x",
        "TIMEOUT=5 # K=\"no\"",
        "echo x;# K=no",
        "echo $K",
        "echo \"${K}\"",
        "KX = x",
        "X=$( . /etc/os-release && echo ${NAME} )",
        "X=`lsb_release -i -s 2> /dev/null || echo Debian`",
        "if [ \"x${K}\" = x ]; then",
    ] {
        let text = text.replace('K', KEY);
        assert!(assignments(&text, &[KEY]).is_empty(), "{text}");
    }
}
