import { describe, expect, it } from 'vitest';
import { withDefaults, type AnyMessage } from '$lib/protocol';
import { heardSplit, NOTHING, reduce, type Show } from './state';

let seq = 0;
const approved = (text: string) => ({ text, surface: 'caption', turn_id: 't', seal: '' });

function message(type: string, more: object = {}): AnyMessage {
	const made = withDefaults({ type, id: 'x', ts: 5, conv: 'stage', gen: 1, seq: ++seq, ...more });
	if (!made) throw new Error(type);
	return made;
}

function after(...messages: AnyMessage[]): Show {
	return messages.reduce(reduce, NOTHING);
}

const snapshot = (more: object = {}) =>
	message('state.snapshot', { conv: '', gen: 0, character: 'kitsu', levels: { mode: 'live', panic: null }, ...more });
const started = (turn_id = 't', more: object = {}) => message('turn.started', { turn_id, kind: 'chat', ...more });
const segment = (index: number, text: string) =>
	message('turn.segment', { turn_id: 't', segment: index, content: { text: approved(text) } });
const progress = (index: number, chars: number, more: object = {}) =>
	message('playout.progress', {
		turn_id: 't',
		heard: { segment: index, chars, samples: 1, total_samples: 2 },
		position_ms: 1,
		buffered_ms: 1,
		...more
	});

describe('reduce', () => {
	it('knows nothing before the first snapshot', () => {
		expect(after(started())).toBe(NOTHING);
	});

	it('follows a turn from start to end', () => {
		const show = after(snapshot(), started(), segment(0, 'Hello there,'), segment(1, 'friend!'), progress(0, 12), progress(1, 3));
		expect(show.current).toHaveLength(1);
		expect(heardSplit(show.current[0]!)).toEqual([
			{ heard: 'Hello there,', rest: '' },
			{ heard: 'fri', rest: 'end!' }
		]);
		const ended = reduce(show, message('turn.ended', { turn_id: 't', outcome: 'spoken', reason: 'completed' }));
		expect(ended.current).toEqual([]);
		expect(ended.recent.at(-1)).toMatchObject({ turn_id: 't', outcome: 'spoken' });
	});

	it('drops what is of an older generation, but hears every end', () => {
		const show = after(snapshot(), started('t', { gen: 3 }), segment(0, 'Hi'));
		expect(show.current[0]?.segments).toEqual([]);
		const ended = reduce(show, message('turn.ended', { turn_id: 't', outcome: 'interrupted', reason: 'skip', gen: 1 }));
		expect(ended.current).toEqual([]);
	});

	it('starts over with every snapshot', () => {
		const show = after(snapshot(), started('old', { gen: 9 }), snapshot({ waiting: 2 }), started('new', { gen: 1 }));
		expect(show.current.map((turn) => turn.turn_id)).toEqual(['new']);
		expect(show.waiting).toBe(1);
	});

	it('ignores a delta that the snapshot already holds', () => {
		const late = started();
		expect(after(snapshot(), snapshot(), late).current).toEqual([]);
	});

	it('goes on after a gap: the next snapshot repairs', () => {
		const first = snapshot();
		seq += 10;
		expect(after(first, started()).current).toHaveLength(1);
	});

	it('keeps services, sinks, levels and counts', () => {
		const show = after(
			snapshot({ services: [{ role: 'tts', connected: true, state: 'ok' }] }),
			message('service.changed', { service: { role: 'tts', connected: false, state: 'missing', reason: 'gone' } }),
			message('service.changed', { service: { role: 'policy', connected: true, state: 'ok' } }),
			message('playout.sinks', { sinks: [{ sink: 'a', kind: 'overlay', conv: 'stage' }] }),
			message('playout.devices', { device: { chosen: 'default', playing: 'Box, ALSA' } }),
			message('chat.shed', { dropped: { flood: 3 }, waiting: 4 }),
			message('show.changed', { levels: { mode: 'live', muted: true, panic: null } })
		);
		expect(show.services.map((one) => [one.role, one.state])).toEqual([['tts', 'missing'], ['policy', 'ok']]);
		expect(show.sinks).toHaveLength(1);
		expect([show.device.playing, show.device.there]).toEqual(['Box, ALSA', []]);
		expect([show.dropped, show.waiting, show.levels.muted]).toEqual([{ flood: 3 }, 4, true]);
	});

	it('bounds what it keeps', () => {
		const first = snapshot();
		const many = Array.from({ length: 50 }, (_, i) => [
			started(`t${i}`),
			message('turn.ended', { turn_id: `t${i}`, outcome: 'spoken', reason: 'completed' }),
			message('stream.notice', { level: 'info', code: 'x', message: 'y' })
		]).flat();
		const show = after(first, ...many);
		expect([show.recent.length, show.notices.length]).toEqual([20, 5]);
	});

	it('does not change what it was given', () => {
		const show = after(snapshot(), started());
		const before = structuredClone(show);
		reduce(show, segment(0, 'Hi'));
		expect(show).toEqual(before);
	});

	it('cuts by code points', () => {
		const show = after(snapshot(), started(), segment(0, '🦊🦊 yip'), progress(0, 2));
		expect(heardSplit(show.current[0]!)).toEqual([{ heard: '🦊🦊', rest: ' yip' }]);
	});
});
