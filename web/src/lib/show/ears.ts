/** The ears in words. Pure. */
import type { EarsState, SourceState, TurnState } from '$lib/protocol';
import { duration } from './latency';

export interface Choice<T extends string = string> {
	value: T;
	label: string;
}

export const MODES: Choice<SourceState['mode']>[] = [
	{ value: 'open', label: 'to everything' },
	{ value: 'push_to_talk', label: 'while the key is held' },
	{ value: 'wake_word', label: 'only to her name' },
	{ value: 'off', label: 'to nothing' }
];

const WHY: Record<string, string> = {
	too_short: 'too short',
	echo: 'her own voice',
	nothing: 'no words',
	phantom: 'noise',
	not_addressed: 'not to her',
	muted: 'muted',
	panic: 'panic',
	source_lost: 'microphone gone',
	failed: 'not understood'
};

/** Why nothing came of what was said. */
export function droppedWhy(reason: string): string {
	return WHY[reason] ?? reason;
}

/** Microphones of the machine; the one that was chosen is always among them, gone or not. */
export function microphoneChoices(ears: EarsState): Choice[] {
	const { chosen, there } = ears;
	const choices: Choice[] = [{ value: 'none', label: 'Browsers only' }];
	if (there.length > 0 || chosen === 'default')
		choices.push({ value: 'default', label: ears.default ? `System default (${ears.default})` : 'System default' });
	choices.push(...there.map((name) => ({ value: name, label: name })));
	if (chosen && !choices.some((one) => one.value === chosen)) {
		const lost = ears.sources.some((one) => one.kind === 'device' && one.state === 'lost');
		choices.push({ value: chosen, label: lost ? `${chosen} (not there)` : chosen });
	}
	return choices;
}

/** How long the last spoken line took, from its last sample to her first sound; empty before there was one. */
export function lastTimes(recent: TurnState[]): string {
	const times = recent.findLast((turn) => turn.times.endpoint_ms > 0 && turn.times.first_audio_ms > 0)?.times;
	if (!times) return '';
	return `words after ${duration(times.endpoint_ms)}, her voice ${duration(times.first_audio_ms)} later`;
}
