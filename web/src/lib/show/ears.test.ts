import { describe, expect, it } from 'vitest';
import { withDefaults, type AnyMessage, type EarsState } from '$lib/protocol';
import { droppedWhy, lastTimes, microphoneChoices } from './ears';
import { NOTHING, reduce, type Show } from './state';

let seq = 0;

function message(type: string, more: object = {}): AnyMessage {
	const made = withDefaults({ type, id: 'x', ts: 5, conv: 'stage', gen: 0, seq: ++seq, ...more });
	if (!made) throw new Error(type);
	return made;
}

const said = (type: string, more: object = {}) =>
	message(type, { utterance: 'u1', speaker: { name: 'Robin', role: 'host' }, ...more });

function after(...messages: AnyMessage[]): Show {
	const snapshot = message('state.snapshot', { seq: 0, conv: '', character: 'kitsu', levels: { mode: 'live', panic: null } });
	return [snapshot, ...messages].reduce(reduce, NOTHING);
}

const EARS: EarsState = {
	configured: true,
	muted: false,
	engine: 'pocketsphinx',
	sources: [],
	chosen: '',
	there: [],
	default: '',
	trouble: ''
};

describe('ears', () => {
	it('shows what is being said, and what became of it', () => {
		const begun = [said('asr.speech', { state: 'started', at_ms: 0 })];
		expect(after(...begun).saying).toEqual({ utterance: 'u1', who: 'Robin', text: '', end: '' });
		const going = [...begun, said('asr.partial', { revision: 1, text: 'what do we' })];
		expect(after(...going).saying?.text).toBe('what do we');
		const paused = [...going, said('asr.speech', { state: 'stopped', at_ms: 900 })];
		expect(after(...paused).saying?.text).toBe('what do we');
		expect(after(...paused, said('asr.final', { text: 'What do we play?' })).saying).toMatchObject({
			text: 'What do we play?',
			end: 'words'
		});
		expect(after(...paused, said('asr.dropped', { reason: 'phantom' })).saying).toMatchObject({ end: 'phantom' });
		expect(after(...paused, said('asr.dropped', { utterance: 'other', reason: 'echo' })).saying?.end).toBe('');
		expect(after(said('asr.command', { command: 'mute', text: 'mute' })).saying).toMatchObject({ end: 'command' });
	});

	it('hears whatever generation the show is in', () => {
		const turn = message('turn.started', { gen: 7, turn_id: 't', kind: 'chat' });
		expect(after(turn, said('asr.partial', { revision: 1, text: 'hello' })).saying?.text).toBe('hello');
	});

	it('forgets the ears when they go', () => {
		const state = message('asr.state', { ears: EARS });
		expect(after(state).ears?.engine).toBe('pocketsphinx');
		const hi = said('asr.partial', { revision: 1, text: 'hi' });
		const gone = message('service.changed', { service: { role: 'asr', connected: false, state: 'missing' } });
		expect(after(state, hi, gone)).toMatchObject({ ears: null, saying: null });
	});

	it('offers microphones, and never hides the chosen one', () => {
		const labels = (more: object) => microphoneChoices({ ...EARS, ...more }).map((one) => one.label);
		expect(labels({})).toEqual(['Browsers only']);
		expect(labels({ there: ['A', 'B'], default: 'A' })).toEqual(['Browsers only', 'System default (A)', 'A', 'B']);
		const source = { source_id: 'device', kind: 'device', conv: 'stage', state: 'lost' };
		expect(labels({ there: ['A'], chosen: 'Old', sources: [source] }).at(-1)).toBe('Old (not there)');
		expect(labels({ chosen: 'Mic' })).toEqual(['Browsers only', 'Mic']);
	});

	it('says why nothing came of it', () => {
		expect([droppedWhy('too_short'), droppedWhy('newer')]).toEqual(['too short', 'newer']);
	});
});

describe('lastTimes', () => {
	const turn = (id: string, times: object) => [
		message('turn.started', { turn_id: id, kind: 'chat' }),
		message('turn.ended', { turn_id: id, outcome: 'spoken', reason: 'completed', times })
	];

	it('is of the last line that was spoken and answered', () => {
		const show = after(
			...turn('t1', { endpoint_ms: 640, first_audio_ms: 36 }),
			...turn('t2', { endpoint_ms: 1240, first_audio_ms: 48 }),
			...turn('t3', { first_audio_ms: 700 }),
			...turn('t4', { endpoint_ms: 900 })
		);
		expect(lastTimes(show.recent)).toBe('words after 1.24 s, her voice 48 ms later');
	});

	it('is empty before there was one', () => {
		expect(lastTimes(after(...turn('t1', { first_audio_ms: 700 })).recent)).toBe('');
	});
});
