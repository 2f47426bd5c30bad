"""Random diagram trees of every kind of node and setting, whether they could be built or not."""

from hypothesis import strategies as st

from cnnlib.diagram.tree import SIGNATURES, Branches, Chain, Layer, Maybe, Repeat, layers_of

COUNTS = st.integers(1, 2000)


def values(setting):
    size = COUNTS | st.tuples(COUNTS, COUNTS).filter(lambda pair: pair[0] != pair[1])
    if setting.takes == "choice":
        return st.sampled_from(setting.choices)
    if setting.takes == "number":
        return st.floats(max(setting.low, 1e-9), min(setting.high, 1e9), exclude_max=True)
    if setting.takes == "padding":
        return size | st.just(0) | st.sampled_from([*setting.choices, 1])
    return COUNTS if setting.takes == "count" else size


def layers(kinds):
    def of_kind(kind):
        signature = SIGNATURES[kind]
        chosen = st.fixed_dictionaries(
            {}, optional={name: values(s) for name, s in signature.items()}
        )
        return chosen.map(
            lambda given: Layer(
                kind, tuple((name, given[name]) for name in signature if name in given)
            )
        )

    return st.sampled_from(kinds).flatmap(of_kind)


def chains(parts):
    return st.lists(parts, min_size=1, max_size=4).map(lambda items: Chain(tuple(items)))


def nested(parts):
    chain = chains(parts)
    times = st.integers(0, 9) | st.sampled_from(["N", "M", "K", "deep_er"])
    return (
        st.builds(Repeat, chain, times)
        | chain.map(lambda body: Maybe(body, next(layers_of(body)).kind.lower()))
        | st.builds(
            Branches,
            st.sampled_from(["concat", "add"]),
            st.lists(chain, min_size=2, max_size=3).map(tuple),
        )
    )


PARTS = st.recursive(layers(sorted(set(SIGNATURES) - {"INPUT"})), nested, max_leaves=12)
TREES = st.builds(
    lambda head, tail: Chain((*head, *tail.items)),
    st.lists(layers(["INPUT"]), max_size=1),
    chains(PARTS),
)
