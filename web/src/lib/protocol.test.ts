import { describe, expect, test } from 'vitest';
import { parseBinary, parseText } from './protocol';

// the wire's golden frames, as the Python side sends them: path -> text
const GOLDEN = import.meta.glob<string>('../../../tests/wire/golden/*.json', {
	query: '?raw',
	import: 'default',
	eager: true
});
const pairs = Object.keys(GOLDEN)
	.filter((path) => path.endsWith('.full.json'))
	.map((path) => ({
		name: path.split('/').at(-1),
		full: GOLDEN[path],
		minimal: GOLDEN[path.replace('.full.', '.minimal.')]
	}));

describe('golden frames', () => {
	test('are there', () => expect(pairs.length).toBeGreaterThan(40));

	test.each(pairs)('$name gets back what was left out', ({ full, minimal }) => {
		const message = parseText(minimal);
		expect(Object.keys(message ?? {}).sort()).toEqual(Object.keys(JSON.parse(full)).sort());
	});

	test.each(pairs)('$name stays as it is', ({ full }) => {
		expect(parseText(full)).toEqual(JSON.parse(full));
	});
});

function binary(header: string, payload: number[]): ArrayBuffer {
	const encoded = new TextEncoder().encode(header);
	const frame = new Uint8Array(4 + encoded.length + payload.length);
	new DataView(frame.buffer).setUint32(0, encoded.length, true);
	frame.set(encoded, 4);
	frame.set(payload, 4 + encoded.length);
	return frame.buffer;
}

const FRAME = binary('{"type":"playout.frame","sink":"ü","position":9,"samples":2}', [1, 2, 3, 4]);

test('a binary frame comes apart', () => {
	const { message, payload } = parseBinary(FRAME);
	expect(message).toMatchObject({ type: 'playout.frame', sink: 'ü', position: 9, segment: -1 });
	expect(Array.from(payload)).toEqual([1, 2, 3, 4]);
});

test('levels that were left out are the safe ones', () => {
	const message = parseText('{"type":"control.levels","levels":{}}');
	expect(message).toMatchObject({ levels: { mode: 'standby', panic: { panic_id: 'boot' } } });
	expect(parseText('{"type":"control.levels","levels":{"panic":null}}')).toMatchObject({ levels: { panic: null } });
});

test('parts inside lists and records are filled too', () => {
	const service = '{"role":"tts","connected":true,"state":"ok","queues":{"media":{"depth":1,"limit":2,"policy":"reject"}}}';
	const message = parseText(`{"type":"state.snapshot","levels":{},"character":"kitsu","services":[${service}]}`);
	expect(message).toMatchObject({ services: [{ queues: { media: { dropped: 0 } }, capabilities: { max_parallel: 1 } }] });
});

test('defaults are not shared between messages', () => {
	const one = parseText('{"type":"playout.sinks","sinks":[]}');
	const two = parseText('{"type":"state.snapshot","levels":{},"character":"a"}');
	const three = parseText('{"type":"state.snapshot","levels":{},"character":"b"}');
	if (two?.type === 'state.snapshot') two.dropped.flood = 1;
	expect(one).toMatchObject({ sinks: [] });
	expect(three).toMatchObject({ dropped: {} });
});

test.each(['{"type":"mind.read"}', '{"type":"constructor"}', '{"type":1}', '{}', '[]', 'null', '"hello"'])(
	'%s is not known',
	(frame) => expect(parseText(frame)).toBeNull()
);

test.each(['', '{', '{"type":'])('%s is no JSON', (frame) => expect(() => parseText(frame)).toThrow(SyntaxError));

test.each([0, 3, 5, 40])('a binary frame of %d bytes ends too early', (length) =>
	expect(() => parseBinary(FRAME.slice(0, length))).toThrow(RangeError)
);
