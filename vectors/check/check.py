#!/usr/bin/env python3
"""Recomputes every value of the test vectors with the second implementation beside this file.

    python3 vectors/check/check.py [folder]              checks a folder of vectors, by default the committed ones
    python3 vectors/check/check.py --mutations [folder]  checks that no single leaf could be another without notice

Of each file the expected document is made anew from its inputs (secrets, contents, what was changed) and compared with
the file as a whole: a wrong, missing or additional value ends the check with its path.
"""
import json
import random
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # The folder of the sources stays as it is.
from files import FILES

INDEX = 'index.json'


class Mismatch(Exception):
    """Path and difference."""


def compare(expected, actual, path='$'):
    if type(expected) is not type(actual):
        raise Mismatch(f'{path}: {short(actual)} should be {short(expected)}')
    if isinstance(expected, dict):
        for name in sorted(expected.keys() | actual.keys()):
            if name not in actual:
                raise Mismatch(f'{path}.{name}: is missing')
            if name not in expected:
                raise Mismatch(f'{path}.{name}: is unknown')
            compare(expected[name], actual[name], f'{path}.{name}')
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            raise Mismatch(f'{path}: has {len(actual)} entries and should have {len(expected)}')
        for index, pair in enumerate(zip(expected, actual)):
            compare(*pair, f'{path}[{index}]')
    elif expected != actual:
        raise Mismatch(f'{path}: {short(actual)} should be {short(expected)}')


def short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + '...'


def people(documents):
    """Those whom the files name."""
    return {person['label']: person for person in documents['pair-keys.json']['identities']}


def check(name, documents):
    """Raises Mismatch where a document is not what this implementation computes from its inputs."""
    if name == INDEX:
        compare({each: leaves(entry) for each, entry in documents.items() if each != INDEX}, documents[INDEX])
        return
    try:
        expected = FILES[name](documents[name], people(documents))
    except Mismatch:
        raise
    except Exception as error:  # Inputs that cannot be used are a mismatch, whatever they break.
        raise Mismatch(f'{type(error).__name__} {error}') from error
    compare(expected, documents[name])
    if leaves(expected) != documents[INDEX].get(name, 0):
        raise Mismatch(f'the number of values is not what {INDEX} says')


# ---- mutations ----

def places(value, path=()):
    """Every leaf and container of a document by its path."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from places(entry, (*path, name))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from places(entry, (*path, index))
    yield path, value


def with_change(document, path, change):
    """A copy of the document in which `change` was applied to the container at the path's end."""
    copy = json.loads(json.dumps(document))
    target = copy
    for step in path[:-1]:
        target = target[step]
    change(target, path[-1])
    return copy


def another_character(text, chance):
    if text == '':
        return '0'
    at = chance.randrange(len(text))
    alphabet = '0123456789abcdef' if all(each in '0123456789abcdef' for each in text) else 'abcdefghijklmnopqrstuvwxyz'
    return text[:at] + chance.choice([each for each in alphabet if each != text[at]]) + text[at + 1:]


def another_number(number, chance):
    digits = str(number)
    while True:
        at = chance.randrange(len(digits))
        changed = digits[:at] + chance.choice('0123456789') + digits[at + 1:]
        if changed.lstrip('-').isdigit() and int(changed) != number:
            return int(changed)


def another_leaf(value, chance):
    if value is None or isinstance(value, bool):
        return {None: False, False: True, True: False}[value]
    return another_character(value, chance) if isinstance(value, str) else another_number(value, chance)


def mutants(document, chance):
    """Copies of a document with one leaf changed, one entry missing, or one entry too many."""
    for path, value in places(document):
        if isinstance(value, dict):
            yield path, 'too much', with_change(
                {'root': document}, ('root', *path, 'surplus'), lambda target, name: target.update({name: 0}))['root']
        elif not isinstance(value, list):
            other = another_leaf(value, chance)
            yield path, f'{short(value)} to {short(other)}', with_change(
                document, path, lambda target, name, other=other: target.__setitem__(name, other))
        if path:
            yield path, 'missing', with_change(document, path, lambda target, name: target.pop(name))


def check_mutations(documents, seed):
    """How many mutants of each file were tried; raises Mismatch where some were not noticed."""
    chance = random.Random(seed)
    tried, unnoticed = {}, []
    for name, document in documents.items():
        tried[name] = 0
        for path, change, mutant in mutants(document, chance):
            tried[name] += 1
            try:
                check(name, {**documents, name: mutant})
            except Mismatch:
                continue
            where = ''.join(f'[{step}]' if isinstance(step, int) else f'.{step}' for step in path)
            unnoticed.append(f'{name} ${where}: the change {change} was not noticed')
    if unnoticed:
        raise Mismatch('\n'.join(unnoticed))
    return tried


# ---- the folder ----

def read(folder):
    found = {path.name: json.loads(path.read_text()) for path in sorted(Path(folder).glob('*.json'))}
    for name in sorted({*FILES, INDEX} ^ found.keys()):
        raise Mismatch(f'{name}: is {"unknown" if name in found else "missing"}')
    return {name: found[name] for name in (*FILES, INDEX)}  # People come before those who name them.


def main(arguments):
    mutate = '--mutations' in arguments
    options = [each.split('=', 1)[1] for each in arguments if each.startswith('--seed=')]
    folders = [each for each in arguments if not each.startswith('--')]
    folder = folders[0] if folders else Path(__file__).resolve().parent.parent
    try:
        documents = read(folder)
        for name in documents:
            try:
                check(name, documents)
            except Mismatch as mismatch:
                raise Mismatch(f'{name} {mismatch}') from mismatch
        print(f'{len(documents)} files, {sum(leaves(each) for each in documents.values())} values: all as computed')
        if mutate:
            tried = check_mutations(documents, options[0] if options else 'hushlamp')
            print(json.dumps(tried))
    except (Mismatch, OSError, ValueError) as error:
        print(f'check.py: {error}', file=sys.stderr)
        return 1
    return 0


def leaves(document):
    return sum(not isinstance(value, (dict, list)) for _, value in places(document))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
