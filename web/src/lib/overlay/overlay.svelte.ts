/** What the overlay shows, driven by the sink's messages and its clock. */
import type { AnyMessage, ShowLevels, VisemeName } from '$lib/protocol';
import { Sink, type SinkOptions } from '$lib/sound/sink';
import { Captions, type CaptionWord } from './captions';

const LEAVE_AFTER_MS = 1600; // captions stand so long after the last word
const FOLD_AFTER_MS = 6000; // the question folds away so long after the answer began

export interface Asked {
	turn: string;
	author: string;
	text: string;
}

export class Overlay {
	words = $state.raw<CaptionWord[]>([]);
	asked = $state.raw<Asked | null>(null);
	expression = $state('');
	speaking = $state(false);
	blocked = $state(false);
	refused = $state('');
	sink: Sink;
	private captions = new Captions();
	private expressions = new Map<number, string>();
	private silent = false;
	private followed: VisemeName = 'sil'; // from progress, where no frames come
	private followedAt = 0;
	private leaving: ReturnType<typeof setTimeout> | undefined;
	private folding: ReturnType<typeof setTimeout> | undefined;

	constructor(options: Pick<SinkOptions, 'path' | 'key' | 'sound' | 'label'>) {
		this.sink = new Sink({
			...options,
			onmessage: (message) => this.take(message),
			onclear: () => this.clear(),
			onlevels: (levels) => this.setLevels(levels),
			onchange: () => {
				this.blocked = options.sound && this.sink.connected && this.sink.sound === 'blocked';
				this.refused = this.sink.refused;
			}
		});
	}

	/** Once a frame: bring words and mouth to this moment. */
	viseme(): VisemeName {
		const moment = this.sink.moment();
		if (this.silent) return 'sil';
		for (const word of moment?.words ?? []) this.reveal(word.turn, word.segment, word.end);
		if (moment) return moment.viseme;
		return performance.now() - this.followedAt < 200 ? this.followed : 'sil';
	}

	end(): void {
		this.sink.end();
		clearTimeout(this.leaving);
		clearTimeout(this.folding);
	}

	private take(message: AnyMessage): void {
		switch (message.type) {
			case 'turn.started':
				if (message.question) {
					const author = message.author?.text ?? '';
					this.asked = { turn: message.turn_id, author, text: message.question.text };
					clearTimeout(this.folding);
				}
				return;
			case 'playout.caption':
				clearTimeout(this.leaving);
				if (message.turn_id !== this.captions.turn) this.startTurn();
				this.captions.add(message.turn_id, message.segment, message.caption.text);
				this.expressions.set(message.segment, message.expression);
				return;
			case 'playout.progress':
				this.followed = message.viseme;
				this.followedAt = performance.now();
				this.reveal(message.turn_id, message.heard.segment, message.heard.chars);
				return;
			case 'playout.finished':
			case 'turn.ended':
				this.ended(message.turn_id);
				return;
		}
	}

	private startTurn(): void {
		this.words = [];
		this.expressions.clear();
		clearTimeout(this.folding);
		this.folding = setTimeout(() => (this.asked = null), FOLD_AFTER_MS);
	}

	private reveal(turn: string, segment: number, end: number): void {
		if (this.silent || !this.captions.reveal(turn, segment, end)) return;
		this.words = this.captions.visible();
		this.expression = this.expressions.get(segment) || this.expression;
		this.speaking = true;
	}

	private ended(turn: string): void {
		if (turn === this.captions.turn) {
			clearTimeout(this.leaving);
			this.leaving = setTimeout(() => this.clear(), LEAVE_AFTER_MS);
		} else if (turn === this.asked?.turn) {
			this.asked = null;
		}
	}

	private setLevels(levels: ShowLevels): void {
		this.silent = levels.muted || levels.panic !== null;
		if (this.silent) this.clear();
	}

	private clear(): void {
		clearTimeout(this.leaving);
		clearTimeout(this.folding);
		this.captions.clear();
		this.expressions.clear();
		this.words = [];
		this.asked = null;
		this.expression = '';
		this.speaking = false;
	}
}
