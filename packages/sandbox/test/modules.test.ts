/* oxlint-disable no-eval, no-underscore-dangle, typescript/no-unsafe-type-assertion -- what the evaluated text gives is what is tested */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moduleSources } from '../src/modules/module-library.ts';
import type * as Collections from '../src/modules/library/collections.js';
import type * as DateTime from '../src/modules/library/datetime.js';
import type * as DecimalModule from '../src/modules/library/decimal.js';
import type * as Functools from '../src/modules/library/functools.js';
import type * as Itertools from '../src/modules/library/itertools.js';
import type * as Json from '../src/modules/library/json.js';
import type * as MathModule from '../src/modules/library/math.js';
import type * as Operator from '../src/modules/library/operator.js';
import type * as RandomModule from '../src/modules/library/random.js';
import type * as Re from '../src/modules/library/re.js';
import type * as StringModule from '../src/modules/library/string.js';
import type * as Time from '../src/modules/library/time.js';

interface Library {
  collections: typeof Collections;
  datetime: typeof DateTime;
  decimal: typeof DecimalModule;
  functools: typeof Functools;
  itertools: typeof Itertools;
  json: typeof Json;
  math: typeof MathModule;
  operator: typeof Operator;
  random: typeof RandomModule;
  re: typeof Re;
  string: typeof StringModule;
  time: typeof Time;
}

// The very text that a compartment is given. Every expected value below was printed by Python 3.11.
function load<Name extends keyof Library>(name: Name): Library[Name] {
  return (0, eval)(moduleSources[name] ?? '') as Library[Name];
}

describe('math', () => {
  const math = load('math');
  it('computes what Python computes', () => {
    expect(math.fsum(Array.from({ length: 10 }, () => 0.1))).toBe(1);
    expect(math.fsum([1e100, 1, -1e100, 1e-16])).toBe(1);
    expect([math.comb(52, 5), math.factorial(10), math.perm(10, 3)]).toEqual([
      2_598_960, 3_628_800, 720,
    ]);
    expect([math.comb(60, 30), math.factorial(20)]).toEqual([
      118264581564861424n,
      2432902008176640000n,
    ]);
    expect([math.gcd(12, 18), math.lcm(4, 6, 10), math.isqrt(99)]).toEqual([6, 60, 9]);
    expect([math.log(8, 2), math.degrees(math.pi), math.fmod(-7, 3)]).toEqual([3, 180, -1]);
    expect(math.dist([1, 2], [4, 6])).toBe(5);
    expect([math.copysign(3, -0), math.isclose(0.1 + 0.2, 0.3), math.prod([1, 2, 3, 4])]).toEqual([
      -3,
      true,
      24,
    ]);
  });
  it('throws where Python raises ValueError', () => {
    for (const call of [
      () => math.sqrt(-1),
      () => math.log(0),
      () => math.factorial(-1),
      () => math.acos(2),
    ]) {
      expect(call).toThrow(RangeError);
    }
  });
  it('sums without losing what was rounded off: adding every negative gives 0', () =>
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e15, max: 1e15 })), (xs) => {
        expect(math.fsum([...xs, ...xs.map((x) => -x).toReversed()])).toBeCloseTo(0, 15);
      }),
    ));
});

describe('random', () => {
  const random = load('random');
  it('repeats the sequence of a seed', () => {
    const draw = () => {
      const own = new random.Random('spring');
      return [
        own.random(),
        own.randint(1, 6),
        own.choice(['a', 'b', 'c']),
        own.sample([1, 2, 3, 4], 2),
        own.gauss(),
      ];
    };
    expect(draw()).toEqual(draw());
    expect(new random.Random(1).random()).not.toBe(new random.Random(2).random());
  });
  it('draws within bounds, evenly enough', () => {
    const own = new random.Random(7);
    const rolls = Array.from({ length: 6000 }, () => own.randint(1, 6));
    for (const face of [1, 2, 3, 4, 5, 6]) {
      expect(rolls.filter((roll) => roll === face).length).toBeGreaterThan(850);
    }
    const weighted = own.choices(['a', 'b'], { weights: [0, 1], k: 50 });
    expect(new Set(weighted)).toEqual(new Set(['b']));
    expect(own.sample([1, 2, 3], 3).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(() => own.sample([1], 2)).toThrow('Sample larger');
  });
});

describe('string', () => {
  const string = load('string');
  it.each([
    ['{:>10,.2f}', 1234567.891, '1,234,567.89'],
    ['{:08.3f}', -3.24159, '-003.242'],
    ['{:x}', 255, 'ff'],
    ['{:#b}', 5, '0b101'],
    ['{:.1%}', 0.1234, '12.3%'],
    ['{:^9}', 'mid', '   mid   '],
    ['{:*<6}', 'ab', 'ab****'],
    ['{:+d}', 7, '+7'],
    ['{:e}', 12345.678, '1.234568e+04'],
    ['{:g}', 0.00001234, '1.234e-05'],
    ['{:g}', 1e20, '1e+20'],
    ['{:.0f}', 2.5, '2'],
    ['{:.2f}', 2.675, '2.67'],
    ['{:.3g}', 1234.5, '1.23e+03'],
    ['{:.1f}', 0.25, '0.2'],
    ['{:_}', 1_000_000, '1_000_000'],
  ])('formats %s of %s as %s', (template, value, expected) => {
    expect(string.format(template, value)).toBe(expected);
  });
  it('finds fields by position, name and path', () => {
    expect(string.format('{0} {1} {0}', 'a', 'b')).toBe('a b a');
    expect(string.format('{a[x]} {{}}', { a: { x: 1 } })).toBe('1 {}');
    expect(() => string.format('{missing}', {})).toThrow('No value for {missing}');
  });
  it('substitutes templates', () => {
    const template = new string.Template('$who likes ${what} $$5');
    expect(template.substitute({ who: 'tim', what: 'kung pao' })).toBe('tim likes kung pao $5');
    expect(new string.Template('$a $b').safe_substitute({ a: 1 })).toBe('1 $b');
    expect(() => new string.Template('$a').substitute()).toThrow('No value for placeholder a');
    expect(string.capwords('hello  wORLD x')).toBe('Hello World X');
    expect(string.punctuation).toHaveLength(32);
  });
});

describe('collections', () => {
  const { Counter, defaultdict, deque, namedtuple, OrderedDict } = load('collections');
  it('counts', () => {
    const counter = new Counter('abracadabra');
    expect(counter.most_common(2)).toEqual([
      ['a', 5],
      ['b', 2],
    ]);
    expect(counter.get('z')).toBe(0);
    expect([...new Counter({ a: 3, b: 1 }).sub(new Counter({ a: 1, b: 2 }))]).toEqual([['a', 2]]);
    expect([...new Counter('aab').add(new Counter({ a: -2, c: 1 }))]).toEqual([
      ['b', 1],
      ['c', 1],
    ]);
    expect(new Counter('aab').subtract('ab').total()).toBe(1);
  });
  it('makes what a defaultdict misses', () => {
    const groups = new defaultdict<string, number[]>(() => []);
    groups.get('x').push(1);
    expect([...groups]).toEqual([['x', [1]]]);
  });
  it('keeps a deque in order at both ends', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('append', 'appendleft', 'pop', 'popleft'), fc.nat())),
        (steps) => {
          const queue = new deque<number>();
          const model: number[] = [];
          let popsAgree = true;
          for (const [step, n] of steps) {
            if (step === 'append') {
              queue.append(n);
              model.push(n);
            } else if (step === 'appendleft') {
              queue.appendleft(n);
              model.unshift(n);
            } else if (model.length > 0) {
              const popped = step === 'pop' ? queue.pop() : queue.popleft();
              popsAgree &&= popped === (step === 'pop' ? model.pop() : model.shift());
            }
            expect(popsAgree).toBe(true);
            expect([...queue]).toEqual(model);
            expect([queue.at(0), queue.at(-1)]).toEqual([model.at(0), model.at(-1)]);
          }
        },
      ),
    ));
  it('rotates and bounds a deque', () => {
    const queue = new deque([1, 2, 3, 4, 5]);
    queue.rotate(2);
    expect([...queue]).toEqual([4, 5, 1, 2, 3]);
    queue.rotate(-1);
    expect([...queue]).toEqual([5, 1, 2, 3, 4]);
    expect([...new deque([1, 2, 3], 2)]).toEqual([2, 3]);
    expect(() => new deque().pop()).toThrow('empty deque');
  });
  it('has records and ordered dictionaries', () => {
    const Point = namedtuple('Point', 'x y');
    expect(Point._replace(Point(1, 2), { y: 5 })).toEqual({ x: 1, y: 5 });
    expect(() => Point(1)).toThrow('takes 2 values');
    const order = new OrderedDict<string, number>([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    order.move_to_end('a');
    order.move_to_end('c', { last: false });
    expect([...order.keys()]).toEqual(['c', 'b', 'a']);
  });
});

describe('re', () => {
  const re = load('re');
  it('finds, as Python does', () => {
    expect(re.findall(String.raw`(\w+)=(\d+)`, 'a=1, b=22')).toEqual([
      ['a', '1'],
      ['b', '22'],
    ]);
    expect(re.findall(String.raw`\d+`, 'a1b22')).toEqual(['1', '22']);
    expect(re.findall('(?i)abc', 'ABC abc')).toEqual(['ABC', 'abc']);
    expect(re.findall('[]a]+', 'a]b')).toEqual(['a]']);
    expect(re.findall(String.raw`a\Z`, 'a\na')).toEqual(['a']);
    expect(re.findall(String.raw`\bfoo\b|^$`, '')).toEqual(['']);
    expect(re.findall(/(?<=#)\w/g, '#a #b')).toEqual(['a', 'b']);
  });
  it('matches at the start, whole, or anywhere', () => {
    const found = re.match(String.raw`(?P<y>\d{4})-(?P<m>\d\d)`, '2026-11-21x');
    expect(found?.groupdict()).toEqual({ y: '2026', m: '11' });
    expect([found?.group('y'), found?.group(2), found?.span()]).toEqual(['2026', '11', [0, 7]]);
    expect(re.match('b', 'ab')).toBeNull();
    expect(re.fullmatch('a|ab', 'ab')?.group()).toBe('ab');
    expect(re.search('(a)|(b)', 'b')?.groups()).toEqual([null, 'b']);
    expect(re.search('b$', 'ab\n')?.span()).toEqual([1, 2]);
  });
  it('substitutes, with references, functions and counts', () => {
    expect(re.sub(String.raw`(\w+) (\w+)`, String.raw`\2 \g<1>`, 'hello world')).toBe(
      'world hello',
    );
    expect(re.sub('x*', '-', 'abxd')).toBe('-a-b--d-');
    expect(re.sub('a', 'b', 'aaa', { count: 2 })).toBe('bba');
    expect(re.sub('(?P<n>b)', String.raw`[\g<n>]\n`, 'abc')).toBe('a[b]\nc');
    expect(re.sub('b', (match) => match.group().toUpperCase(), 'abc')).toBe('aBc');
    expect(re.sub('a', '$&$1', 'a')).toBe('$&$1');
  });
  it('splits, with what groups matched between the pieces', () => {
    expect(re.split(String.raw`(\W+)`, 'Words, words, words.')).toEqual([
      'Words',
      ', ',
      'words',
      ', ',
      'words',
      '.',
      '',
    ]);
    expect(re.split(String.raw`\W+`, 'Words, words, words.', { maxsplit: 1 })).toEqual([
      'Words',
      'words, words.',
    ]);
    expect(re.split('x*', 'axbc')).toEqual(['', 'a', '', 'b', 'c', '']);
  });
  it('escapes any text to a pattern of itself', () => {
    expect(re.escape('a.b*c-d')).toBe(String.raw`a\.b\*c\-d`);
    fc.assert(
      fc.property(fc.string(), (text) => re.fullmatch(re.escape(text), text)?.group() === text),
    );
  });
});

/** Each list as one word. */
function words(lists: Iterable<string[]>): string[] {
  return [...lists].map((list) => list.join(''));
}

describe('itertools', () => {
  const itertools = load('itertools');
  it('yields what Python yields', () => {
    expect([...itertools.accumulate([1, 2, 3, 4])]).toEqual([1, 3, 6, 10]);
    expect(words(itertools.combinations('ABC', 2))).toEqual(['AB', 'AC', 'BC']);
    expect(words(itertools.permutations('ABC', 2))).toEqual(['AB', 'AC', 'BA', 'BC', 'CA', 'CB']);
    expect(words(itertools.product(['AB'], { repeat: 2 }))).toEqual(['AA', 'AB', 'BA', 'BB']);
    expect([...itertools.groupby('AAABBA')].map(([key, group]) => key + group.length)).toEqual([
      'A3',
      'B2',
      'A1',
    ]);
    expect([...itertools.islice('ABCDEFG', 2, null, 2)]).toEqual(['C', 'E', 'G']);
    expect(words(itertools.pairwise('ABCD'))).toEqual(['AB', 'BC', 'CD']);
    expect([...itertools.zip_longest(['ABC', 'x'], { fillvalue: '-' })]).toEqual([
      ['A', 'x'],
      ['B', '-'],
      ['C', '-'],
    ]);
    expect(words(itertools.chain(itertools.zip('AB', 'xyz') as Iterable<string[]>))).toEqual([
      'Ax',
      'By',
    ]);
    expect([
      ...itertools.repeat('x', 2),
      ...itertools.accumulate([2, 3], (a, b) => a * b, { initial: 1 }),
    ]).toEqual(['x', 'x', 1, 2, 6]);
    expect([...itertools.batched([1, 2, 3], 2)]).toEqual([[1, 2], [3]]);
  });
  it('takes from endless sources no more than is asked for', () => {
    expect([...itertools.islice(itertools.cycle('AB'), 5)].join('')).toBe('ABABA');
    expect([...itertools.takewhile((n) => n < 6, itertools.count(0, 2))]).toEqual([0, 2, 4]);
    expect(
      itertools.product([itertools.islice(itertools.count(), 3), [7, 8]]).next().value,
    ).toEqual([0, 7]);
  });
});

describe('functools', () => {
  const functools = load('functools');
  it('keeps the last results only', () => {
    const calls: number[] = [];
    const square = functools.lru_cache((n: number) => (calls.push(n), n * n), { maxsize: 2 });
    expect([square(1), square(2), square(1), square(3), square(2)]).toEqual([1, 4, 1, 9, 4]);
    expect(calls).toEqual([1, 2, 3, 2]);
    expect(square.cache_info()).toEqual({ hits: 1, misses: 4, maxsize: 2, currsize: 2 });
  });
  it('reduces, applies partly, and sorts by keys', () => {
    expect(functools.reduce((a, b) => a - b, [10, 2, 3])).toBe(5);
    expect(() => functools.reduce((a) => a, [])).toThrow(TypeError);
    expect(functools.partial((a: number, b: number) => a * b, 6)(7)).toBe(42);
    const people = [
      ['b', 2],
      ['a', 9],
      ['a', 10],
    ] as const;
    expect(people.toSorted(functools.by_key((person) => person))).toEqual([
      ['a', 9],
      ['a', 10],
      ['b', 2],
    ]);
  });
});

describe('operator', () => {
  const operator = load('operator');
  it('divides with the sign of the divisor', () => {
    expect([operator.mod(-7, 3), operator.floordiv(-7, 3)]).toEqual([2, -3]);
    expect([operator.mod(7, -3), operator.floordiv(7, -3), operator.mod(-7.5, 2)]).toEqual([
      -2, -3, 0.5,
    ]);
    expect([operator.mod(-7n, 3n), operator.floordiv(-7n, 3n)]).toEqual([2n, -3n]);
    expect(() => operator.truediv(1, 0)).toThrow('division by zero');
    expect(() => operator.mod(1, 0)).toThrow('division by zero');
  });
  it('reads items and attributes, own ones only', () => {
    expect([{ name: 'ada' }].map(operator.itemgetter('name'))).toEqual(['ada']);
    expect(operator.itemgetter(0, -1)([1, 2, 3])).toEqual([1, 3]);
    expect(operator.attrgetter('owner.name')({ owner: { name: 'ada' } })).toBe('ada');
    expect(() => operator.getitem({}, 'constructor')).toThrow('no item constructor');
    expect([operator.contains('abc', 'b'), operator.contains(new Set([1]), 2)]).toEqual([
      true,
      false,
    ]);
  });
});

describe('datetime', () => {
  const { date, datetime, timedelta } = load('datetime');
  const leapDay = new datetime(2024, 2, 29, 13, 5, 9, 250);
  it('writes as Python writes', () => {
    expect(leapDay.isoformat()).toBe('2024-02-29T13:05:09.250000');
    expect(String(leapDay)).toBe('2024-02-29 13:05:09.250000');
    expect(leapDay.strftime('%A %d %B %Y %I:%M:%S %p %j %w %u %V %G %y %b %a %f %%')).toBe(
      'Thursday 29 February 2024 01:05:09 PM 060 4 4 09 2024 24 Feb Thu 250000 %',
    );
    expect(new date(999, 1, 1).isoformat()).toBe('0999-01-01');
    expect(String(new timedelta({ seconds: -1 }))).toBe('-1 day, 23:59:59');
  });
  it('reckons in UTC', () => {
    expect(leapDay.add(new timedelta({ days: 366 })).isoformat()).toBe(
      '2025-03-01T13:05:09.250000',
    );
    expect(String(new datetime(2026, 1, 1).sub(leapDay))).toBe('671 days, 10:54:50.750000');
    expect(String(new date(2024, 3, 1).sub(new date(2024, 2, 1)))).toBe('29 days, 0:00:00');
    expect([new date(2020, 12, 31).isocalendar(), new date(2021, 1, 3).isocalendar()]).toEqual([
      [2020, 53, 4],
      [2020, 53, 7],
    ]);
    expect([leapDay.weekday(), leapDay.timestamp()]).toEqual([3, 1_709_211_909.25]);
    expect(leapDay > new datetime(2024, 2, 29)).toBe(true);
    expect(leapDay.replace({ month: 3, day: 1 }).isoformat()).toBe('2024-03-01T13:05:09.250000');
  });
  it('reads ISO texts and formats', () => {
    expect(datetime.strptime('21 Nov 2026 09:07 PM', '%d %b %Y %I:%M %p').isoformat()).toBe(
      '2026-11-21T21:07:00',
    );
    expect(datetime.fromisoformat('2026-11-21T10:00:00+02:00').isoformat()).toBe(
      '2026-11-21T08:00:00',
    );
    expect(() => date.fromisoformat('2026-02-30')).toThrow(
      'There is no such day or time: 2026 2 30',
    );
    expect(() => datetime.strptime('x', '%Y')).toThrow("does not match format '%Y'");
  });
  it('reads back every time that it wrote', () =>
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (at) => {
          const written = datetime.fromtimestamp(at.getTime() / 1000).isoformat();
          expect(datetime.fromisoformat(written).ms).toBe(at.getTime());
          expect(written.slice(0, 19)).toBe(at.toISOString().slice(0, 19));
        },
      ),
    ));
});

describe('time', () => {
  const time = load('time');
  it('splits and joins times in UTC', () => {
    const at = time.gmtime(1e9);
    expect(Object.values(at)).toEqual([2001, 9, 9, 1, 46, 40, 6, 252, 0]);
    expect(time.asctime(at)).toBe('Sun Sep  9 01:46:40 2001');
    expect(time.strftime('%Y-%m-%d %H:%M:%S %j %a %b', at)).toBe('2001-09-09 01:46:40 252 Sun Sep');
    expect(time.timegm(at)).toBe(1e9);
  });
});

describe('json', () => {
  const json = load('json');
  it('writes as Python writes', () => {
    expect(json.dumps({ b: [1, 2.5, null, true], a: 'é\n' })).toBe(
      String.raw`{"b": [1, 2.5, null, true], "a": "\u00e9\n"}`,
    );
    expect(json.dumps({ b: { x: [] }, a: [1, { y: 2 }] }, { indent: 2, sort_keys: true })).toBe(
      '{\n  "a": [\n    1,\n    {\n      "y": 2\n    }\n  ],\n  "b": {\n    "x": []\n  }\n}',
    );
    expect(json.dumps([1, { a: 2 }], { separators: [',', ':'] })).toBe('[1,{"a":2}]');
    expect(json.dumps('😀')).toBe(String.raw`"\ud83d\ude00"`);
    expect(() => json.dumps(NaN)).toThrow('not JSON compliant');
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => json.dumps(loop)).toThrow('Circular');
  });
  it('reads back what it wrote', () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(json.loads(json.dumps(JSON.parse(text))))).toBe(text);
      }),
    ));
  it('hands digits to parse_float', () => {
    expect(json.loads('[1, 0.10]', { parse_float: (digits) => digits })).toEqual([1, '0.10']);
  });
});

describe('decimal', () => {
  const { Decimal } = load('decimal');
  const d = (text: string | number | [bigint, number]) => new Decimal(text);
  it.each([
    [d('0.1').add('0.2'), '0.3'],
    [d(1).div(3), '0.3333333333333333333333333333'],
    [d(2).div(3), '0.6666666666666666666666666667'],
    [d(1).div(8), '0.125'],
    [d('1.20').mul('1.30'), '1.5600'],
    [d(100).div(10), '10'],
    [d('2.675').quantize('0.01'), '2.68'],
    [d('2.665').quantize('0.01'), '2.66'],
    [d('2.675').quantize('0.01', 'ROUND_HALF_UP'), '2.68'],
    [d('-2.1').quantize(1, 'ROUND_UP'), '-3'],
    [d('-2.9').quantize(1, 'ROUND_DOWN'), '-2'],
    [d('9.995').quantize('0.01', 'ROUND_HALF_UP'), '10.00'],
    [d('-.5e-3'), '-0.0005'],
    [d([30n, -1]), '3.0'],
    [d('1e3'), '1E+3'],
    [d('1e-7'), '1E-7'],
    [d('0.000001'), '0.000001'],
    [d('123e5'), '1.23E+7'],
    [d('1.1').pow(10), '2.5937424601'],
    [d('1.05').pow(100), '131.5012578463034550255975321'],
    [d('9999999999999999999999999999').add('0.5'), '1.000000000000000000000000000E+28'],
    [d('12345678901234567890123456789').add(0), '1.234567890123456789012345679E+28'],
    [d('1e30').sub(1), '1.000000000000000000000000000E+30'],
    [d('0.00').add(0), '0.00'],
    [d(1).div(-3), '-0.3333333333333333333333333333'],
    [d('1E+2').mul(3), '3E+2'],
    [d('1e-30').add(1), '1.000000000000000000000000000'],
    [d(6).div(2), '3'],
    [d('0e3').div(7), '0E+3'],
    [d('0.30').div('0.1'), '3.0'],
  ])('gives %s as Python does', (value, expected) => {
    expect(value.toString()).toBe(expected);
  });
  it('adds cents exactly', () =>
    fc.assert(
      fc.property(fc.array(fc.integer()), (cents) => {
        const sum = cents.reduce((total, cent) => total.add(new Decimal(cent).div(100)), d(0));
        expect(sum.mul(100).eq(cents.reduce((a, b) => a + b, 0))).toBe(true);
      }),
    ));
  it('refuses what has no exact answer, and operators', () => {
    expect(() => d('1.2.3')).toThrow('Not a decimal number');
    expect(() => d(1).div(0)).toThrow('division by zero');
    expect(() => Number(d(1))).toThrow('Operators would round');
    expect(String(d('1.50'))).toBe('1.50');
    expect(JSON.stringify({ price: d('1.50') })).toBe('{"price":"1.50"}');
  });
});
