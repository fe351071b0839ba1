/** Sound out: one AudioContext, one worklet. */
import { STREAM_RATE_HZ } from './jitter';
import type { FromPlayer, ToPlayer } from './player.worklet';
import workletUrl from './player.worklet.ts?worker&url';

export type SoundState = 'running' | 'blocked' | 'idle';

export class Player {
	underruns = 0;
	/** Called when the state may have changed. */
	onchange = () => {};
	private context: AudioContext | null = null;
	private node: AudioWorkletNode | null = null;
	private cursor = 0;
	private cursorAt = 0; // context time of `cursor`, s
	private playing = false;
	private flushes = new Map<number, (at: number) => void>();
	private flushNumber = 0;

	/** Open the sound device. In OBS it plays at once; elsewhere the browser may want a click first. */
	async start(): Promise<void> {
		this.context = contextAt48kHz();
		this.context.onstatechange = () => this.onchange();
		await this.context.audioWorklet.addModule(workletUrl);
		this.node = new AudioWorkletNode(this.context, 'kitsu-player', { numberOfInputs: 0, outputChannelCount: [2] });
		this.node.port.onmessage = ({ data }: MessageEvent<FromPlayer>) => this.heard(data);
		this.node.connect(this.context.destination);
		this.onchange();
	}

	/** Ask for sound after a click. */
	async unblock(): Promise<void> {
		await this.context?.resume();
		this.onchange();
	}

	async stop(): Promise<void> {
		await this.context?.close();
		this.context = null;
		this.node = null;
	}

	get state(): SoundState {
		if (this.context?.state !== 'running') return 'blocked';
		return this.playing ? 'running' : 'idle';
	}

	/** Queue a frame's PCM (s16le). While the browser holds sound back it is dropped: it would be stale later. */
	push(position: number, pcm: Uint8Array): void {
		if (!this.node || this.context?.state !== 'running') return;
		const words = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength);
		const samples = new Float32Array(pcm.byteLength >> 1);
		for (let i = 0; i < samples.length; i++) samples[i] = words.getInt16(2 * i, true) / 32768;
		this.node.port.postMessage({ push: position, samples } satisfies ToPlayer, [samples.buffer]);
	}

	/** Be silent. Resolves with ms from the call to the last sample that can still leave the speaker. */
	async flush(): Promise<number> {
		const began = performance.now();
		if (!this.node || this.context?.state !== 'running') return 0;
		const number = ++this.flushNumber;
		const done = new Promise<number>((resolve) => this.flushes.set(number, resolve));
		const tail = this.playing ? (this.context.outputLatency || 0) * 1000 : 0;
		this.node.port.postMessage({ flush: number } satisfies ToPlayer);
		this.playing = false;
		return (await done) - began + tail;
	}

	/** Stream position that leaves the speaker now; null while nothing plays. */
	position(): number | null {
		if (!this.context || !this.playing) return null;
		const elapsed = Math.min(0.2, this.context.currentTime - this.cursorAt - (this.context.outputLatency || 0));
		return Math.max(0, this.cursor + elapsed * STREAM_RATE_HZ);
	}

	private heard(message: FromPlayer): void {
		if ('flushed' in message) {
			this.flushes.get(message.flushed)?.(performance.now());
			this.flushes.delete(message.flushed);
			return;
		}
		this.cursor = message.cursor;
		this.cursorAt = message.time;
		this.underruns = message.underruns;
		if (message.playing !== this.playing) {
			this.playing = message.playing;
			this.onchange();
		}
	}
}

function contextAt48kHz(): AudioContext {
	try {
		return new AudioContext({ sampleRate: STREAM_RATE_HZ, latencyHint: 'interactive' });
	} catch {
		return new AudioContext({ latencyHint: 'interactive' }); // a device that wants its own rate: the worklet resamples
	}
}
