"""Text for servers that apply no chat template: the user's file, or the model's tokenizer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from rmjudge import UsageError
from rmjudge.calls import Reply, Reward, RewardCall
from rmjudge.providers.base import Provider, Target
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.listing import listings
from rmjudge.providers.registry import ScorerSettings, create, provider_class
from rmjudge.providers.rendering import (
    ChatTemplate,
    conversation,
    template_from_file,
    template_from_tokenizer,
)
from rmjudge.providers.spec import HOSTED, parse_spec
from rmjudge.providers.vendors import VENDORS

if TYPE_CHECKING:
    from served import ModelServer

CALL: Final = RewardCall("2+2?", "It is 4.")
# The form in which tokenizer_config.json holds them: blocks on lines of their own.
CHATML: Final = """\
{%- for message in messages %}
    {%- if loop.first and message['role'] == 'assistant' %}
        {{- raise_exception('a conversation begins with the user') }}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
PLAIN: Final = (
    "{{ bos_token }}U:{{ messages[0].content }} A:{{ messages[1].content }}{{ eos_token }}"
)
WANTING: Final = tuple(
    item.name
    for item in listings()
    if item.name in {*VENDORS, *HOSTED} and provider_class(item.name).wants_rendered_text
)

Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """A file with this template."""

    def write(source: str) -> Path:
        path = tmp_path / "chat.j2"
        path.write_text(source, "utf-8")
        return path

    return write


def render(path: Path, prompt: str = "2+2?", response: str = "It is 4.") -> str:
    return template_from_file(path).render(conversation(prompt, response))


def test_a_chat_template_is_rendered_as_its_tokenizer_renders_it(written: Written) -> None:
    assert render(written(CHATML)) == (
        "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\nIt is 4.<|im_end|>\n"
    )


def test_a_line_with_a_block_alone_leaves_no_line(written: Written) -> None:
    lines = ("{% for turn in messages %}", "  {% if true %}", "{{ turn.content }}", "  {% endif %}")
    source = "\n".join((*lines, "{% endfor %}", ""))
    assert render(written(source)) == "2+2?\nIt is 4.\n"


def test_a_file_writes_the_special_tokens_that_it_wants_itself(written: Written) -> None:
    assert render(written(PLAIN)) == "U:2+2? A:It is 4."
    assert template_from_file(written(PLAIN)).bos == ""


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }} {% endfor %} {# x #}", "<b>&amp; \"'", "\ud800 \x00", "<|im_end|>"]
)
def test_what_looks_like_a_template_in_a_text_stays_text(written: Written, text: str) -> None:
    assert render(written(PLAIN), text, f"so: {text}") == f"U:{text} A:so: {text}"


FAULTS: Final[dict[str, tuple[str, str]]] = {
    "no response": ("{{ messages[0].content }}", "leaves out the-response"),
    "no prompt": ("{{ messages[1].content }}", "leaves out the-prompt"),
    "nothing": ("", "it is given `messages`"),
    "a block that is not closed": ("{% for m in messages %}", "does not compile"),
    "an unknown filter": ("{{ messages|nonsense }}", "does not compile"),
    "a field that does not exist": (PLAIN + "{{ toolbox }}", "'toolbox' is undefined"),
    "its own refusal": (
        "{{ raise_exception('no system turn') }}",
        "refuses the conversation: no system turn",
    ),
    "a way into Python": (PLAIN + "{{ messages.__class__ }}", "__class__"),
    "a change of the conversation": (PLAIN + "{{ messages.append(1) }}", "append"),
    "another file": (PLAIN + "{% include 'x' %}", "does not render"),
    "a text and a number": (PLAIN + "{{ messages[0].content + 1 }}", "does not render"),
    "a turn too many": (PLAIN + "{{ messages[2].content }}", "does not render"),
}


@pytest.mark.parametrize(("source", "why"), FAULTS.values(), ids=list(FAULTS))
def test_a_faulty_file_is_refused_with_its_fault(written: Written, source: str, why: str) -> None:
    with pytest.raises(UsageError, match=r"the template .*chat\.j2") as caught:
        template_from_file(written(source))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "around",
    [
        "{% if tools %}{{ tools | tojson }}{% endif %}{BODY}",
        "{% if tools is not none %}no{% endif %}{BODY}",
        "{% generation %}{BODY}{% endgeneration %}",
        "{BODY}{% for k in [1, 2] %}{% if k == 1 %}{% break %}{% endif %}no{% endfor %}",
    ],
)
def test_what_chat_templates_of_models_use_is_understood(written: Written, around: str) -> None:
    body = "{% for m in messages %}<{{ m.content }}>{% endfor %}"
    template = template_from_file(written(around.replace("{BODY}", body)))
    assert template.render(conversation("2+2?", "4")) == "<2+2?><4>"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.j2 cannot be read"):
        template_from_file(tmp_path / "gone.j2")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "odd.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"odd\.j2 cannot be read"):
        template_from_file(tmp_path / "odd.j2")


def scorer(name: str, template: Path | None = None, root: str = "http://h:1") -> HostedScorer:
    made = create(parse_spec(f"{name}/rm@{root}"), ScorerSettings(template=template))
    assert isinstance(made, HostedScorer)
    return made


def test_these_servers_want_rendered_text() -> None:
    assert set(WANTING) == {"sglang", "tei", "openrlhf", "nemo", "hf-endpoint"}


@pytest.mark.parametrize("name", WANTING)
def test_the_file_s_text_is_part_of_the_identity(name: str, written: Written) -> None:
    assert scorer(name, written(PLAIN)).identity["template"] == PLAIN
    assert scorer(name, written(CHATML)).identity["template"] == CHATML


async def test_the_rendered_text_is_what_is_sent(server: ModelServer, written: Written) -> None:
    reward_model = scorer("sglang", written(CHATML), server.root)
    (outcome,) = await reward_model.answer([CALL])
    await reward_model.aclose()
    assert isinstance(outcome, Reply)
    assert isinstance(outcome.answer, Reward)
    assert server.stats["bodies"] == [{"text": [render(written(CHATML))]}]


def with_bos(name: str, bos: str = "<s>") -> Provider:
    template = ChatTemplate("T", lambda turns: f"<s><s>{turns[0]['content']}<s>", bos)
    return provider_class(name)(Target("rm", "http://h:1", {}, template))


@pytest.mark.parametrize("name", ["sglang", "tei", "hf-endpoint"])
def test_one_token_of_the_beginning_is_taken_off_for_a_server_that_adds_it(name: str) -> None:
    assert with_bos(name).rendered(RewardCall("p", "r")) == "<s>p<s>"
    assert "<s>p<s>" in str(with_bos(name).build([CALL]).body).replace("2+2?", "p")
    assert "<s><s>" not in str(with_bos(name).build([CALL]).body)


@pytest.mark.parametrize("name", ["openrlhf", "nemo"])
def test_it_stays_for_a_server_that_does_not(name: str) -> None:
    assert with_bos(name).rendered(RewardCall("p", "r")) == "<s><s>p<s>"


@pytest.mark.parametrize("name", WANTING)
def test_a_template_without_one_is_left_as_it_is(name: str) -> None:
    assert with_bos(name, bos="").rendered(RewardCall("p", "r")) == "<s><s>p<s>"


@pytest.mark.parametrize("name", WANTING)
def test_nothing_is_sent_without_a_template(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} needs a chat template"):
        identity_of(provider_class(name)(Target("rm", "http://h:1")))


@pytest.fixture
def _no_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)


@pytest.mark.usefixtures("_no_transformers")
def test_a_missing_tokenizer_library_is_told_with_the_line_that_installs_it() -> None:
    with pytest.raises(UsageError) as caught:
        template_from_tokenizer("org/rm")
    assert str(caught.value) == (
        "org/rm: the server wants rendered text; install the tokenizer's library with "
        "pip install 'rmjudge[local]', or give the chat template with --template FILE"
    )


@pytest.mark.usefixtures("_no_transformers")
@pytest.mark.parametrize("name", WANTING)
def test_a_server_that_wants_text_asks_for_its_tokenizer_before_any_call(name: str) -> None:
    with pytest.raises(UsageError, match=r"pip install 'rmjudge\[local\]'"):
        scorer(name)


@pytest.mark.usefixtures("_no_transformers")
@pytest.mark.parametrize("name", WANTING)
def test_with_a_file_no_tokenizer_is_needed(name: str, written: Written) -> None:
    assert scorer(name, written(PLAIN)).method == "pointwise"
