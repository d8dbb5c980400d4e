"""Completion as shells do it: the script is loaded into a real shell, which then says what it would offer."""

import shutil
import subprocess
import sys

import pytest

from tests.integration.test_cli import COMMAND, DEADLINE, ROOT

ASK_BASH = """
source "$1"
COMP_WORDS=(nrf91-harness {words}); COMP_CWORD={last}; COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
function=$(complete -p nrf91-harness | sed -E 's/.*-F ([^ ]+).*/\\1/')
$function nrf91-harness "${{COMP_WORDS[$COMP_CWORD]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script_of(tmp_path_factory):
    def script_of(shell):
        done = subprocess.run(
            [*COMMAND, "completion", shell], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=True
        )
        path = tmp_path_factory.mktemp("completion") / shell
        path.write_text(done.stdout)
        return path

    return script_of


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["bo"], {"boards"}),
        (["boards", ""], {"list", "suggest", "check", "schema", "lease"}),
        (["boards", "suggest", "--pr"], {"--probe"}),
        (["credentials", "delete", "--fo"], {"--foreign"}),
        (["virtual", "up", "--time"], {"--time-scale"}),
    ],
)
def test_bash(script_of, words, offered):
    text = ASK_BASH.format(words=" ".join(repr(word) for word in words), last=len(words))
    done = subprocess.run(
        ["bash", "-c", text, "bash", str(script_of("bash"))],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert offered <= set(done.stdout.split()), done


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_of_another_shell_has_every_command_and_is_sound(script_of, shell):
    path = script_of(shell)
    text = path.read_text()
    for word in ("boards", "suggest", "doctor", "credentials", "jwt", "probe"):
        assert word in text
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(path)], timeout=DEADLINE, check=True)


def test_an_unknown_shell_is_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "completion", "tcsh"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
