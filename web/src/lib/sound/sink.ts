/** A page as a listener: its socket to the door, its player, and what belongs to which moment. */
import { parseBinary, parseText, type AnyMessage, type PlayoutFrame, type ShowLevels, type VisemeName } from '$lib/protocol';
import { LastingSocket } from '$lib/reconnect';
import { Player, type SoundState } from './player';
import { FrameClock, Timeline, type Word } from './timeline';

const REPORT_EVERY_MS = 100;
const ELECTED_FOR_MS = 500; // after the last frame with sound in it

export interface SinkOptions {
	path: string;
	/** The overlay's key; signed-in pages have a cookie instead. */
	key?: string;
	sound: boolean;
	label: string;
	/** Everything that is not sound. */
	onmessage?: (message: AnyMessage) => void;
	/** Clear what is shown: flushed, or the show starts over. */
	onclear?: () => void;
	onlevels?: (levels: ShowLevels) => void;
	/** State of sound or connection changed. */
	onchange?: () => void;
}

export class Sink {
	connected = false;
	refused = '';
	private socket: LastingSocket;
	private player: Player | null = null;
	private timeline = new Timeline();
	private frames = new FrameClock();
	private timer: ReturnType<typeof setInterval>;
	private gen = 0;
	private soundAt = -Infinity; // when a frame with sound came last, ms
	private told = '';

	constructor(private options: SinkOptions) {
		if (options.sound) this.openPlayer();
		this.socket = new LastingSocket(options.path, {
			open: (socket) => {
				const { key = '', sound, label } = options;
				socket.send(JSON.stringify({ type: 'sink.hello', key, sound, label }));
			},
			message: (data) => this.receive(data),
			closed: (code) => this.lost(code)
		});
		this.timer = setInterval(() => this.report(), REPORT_EVERY_MS);
	}

	get sound(): SoundState {
		return this.player?.state ?? 'blocked';
	}

	/** After a click: let the browser play. */
	async unblock(): Promise<void> {
		await this.player?.unblock();
	}

	/** The moment that is heard (or, without sound here, that would be): stream samples; null in silence. */
	position(): number | null {
		const now = performance.now();
		const mine = now - this.soundAt < ELECTED_FOR_MS && this.player !== null && this.player.state !== 'blocked';
		return mine ? (this.player?.position() ?? null) : this.frames.position(now);
	}

	/** Mouth and newly begun words at this moment; null when frames do not tell. */
	moment(): { viseme: VisemeName; words: Word[] } | null {
		const position = this.position();
		if (position === null) return null;
		return { viseme: this.timeline.viseme(position), words: this.timeline.spoken(position) };
	}

	end(): void {
		clearInterval(this.timer);
		this.socket.end();
		void this.player?.stop();
	}

	private openPlayer(): void {
		this.player = new Player();
		this.player.onchange = () => {
			this.report();
			this.options.onchange?.();
		};
		void this.player.start();
	}

	private receive(data: string | ArrayBuffer): void {
		if (typeof data === 'string') {
			const message = parseText(data);
			if (message) this.take(message);
			return;
		}
		const { message, payload } = parseBinary(data);
		if (message?.type === 'playout.frame') this.frame(message, payload);
	}

	private take(message: AnyMessage): void {
		switch (message.type) {
			case 'hello.accepted':
				this.gen = message.gens[message.conv] ?? 0;
				this.connected = true;
				this.refused = '';
				this.clear();
				this.told = '';
				this.report();
				this.options.onlevels?.(message.levels);
				this.options.onchange?.();
				return;
			case 'hello.refused':
				this.refused = message.message;
				this.options.onchange?.();
				return;
			case 'control.levels':
				this.options.onlevels?.(message.levels);
				return;
			case 'sink.flush':
				this.gen = Math.max(this.gen, message.gen);
				void this.flush(message.panic_id);
				return;
		}
		const ends = message.type === 'turn.ended' || message.type === 'playout.finished';
		if (ends || message.gen >= this.gen) this.options.onmessage?.(message);
	}

	private frame(frame: PlayoutFrame, pcm: Uint8Array): void {
		if (frame.gen < this.gen) return;
		this.gen = frame.gen;
		this.timeline.add(frame);
		this.frames.add(frame, performance.now());
		if (pcm.byteLength > 0) {
			this.soundAt = performance.now();
			this.player?.push(frame.position, pcm);
		}
	}

	private async flush(panicId: string): Promise<void> {
		this.clear();
		const latency = (await this.player?.flush()) ?? 0;
		this.socket.send({ type: 'sink.flushed', sink: '', latency_ms: latency, panic_id: panicId });
	}

	private clear(): void {
		this.timeline.clear();
		this.frames.stop();
		void this.player?.flush();
		this.options.onclear?.();
	}

	private lost(code: number): boolean {
		this.connected = false;
		this.clear();
		this.options.onchange?.();
		return code !== 4401; // a key that does not work will not work later either
	}

	private report(): void {
		if (!this.player || !this.connected) return;
		const state = this.player.state;
		const position = Math.round(this.player.position() ?? 0);
		const line = `${state} ${this.player.underruns}`;
		if (line === this.told && state !== 'running') return;
		this.told = line;
		this.socket.send({ type: 'sink.position', sink: '', position, state, underruns: this.player.underruns });
	}
}
