/** What stands on the caption plate. Pure: words in, words out. */

const PAGE = 84; // characters on the plate: two comfortable lines

export interface CaptionWord {
	key: string;
	text: string;
}

interface Piece {
	segment: number;
	start: number; // code points
	end: number;
}

interface Spoken {
	points: string[];
	revealed: number;
}

export class Captions {
	turn = '';
	private segments: Spoken[] = [];

	/** A segment's text; nothing of it shows until it is revealed. */
	add(turn: string, segment: number, text: string): void {
		if (turn !== this.turn) this.clear(turn);
		this.segments[segment] ??= { points: Array.from(text), revealed: 0 };
	}

	/** Speech has reached code point `end` of a segment. True: something new shows. */
	reveal(turn: string, segment: number, end: number): boolean {
		const spoken = this.segments[segment];
		if (turn !== this.turn || !spoken || end <= spoken.revealed) return false;
		spoken.revealed = Math.min(end, spoken.points.length);
		return true;
	}

	clear(turn = ''): void {
		this.turn = turn;
		this.segments = [];
	}

	/** The words of the page that is being spoken. A word stays where it is; only a new page moves the eye. */
	visible(): CaptionWord[] {
		const pages = this.pages();
		const page = pages.findLast((pieces) => pieces.some((piece) => this.shown(piece) > piece.start)) ?? [];
		return page.flatMap((piece) => this.words(piece));
	}

	private shown(piece: Piece): number {
		return Math.min(piece.end, this.segments[piece.segment]?.revealed ?? 0);
	}

	private words(piece: Piece): CaptionWord[] {
		const text = this.segments[piece.segment]?.points.slice(piece.start, this.shown(piece)).join('') ?? '';
		return text
			.split(/\s+/)
			.filter((word) => word !== '')
			.map((word, index) => ({ key: `${this.turn}:${piece.segment}:${piece.start}:${index}`, text: word }));
	}

	private pages(): Piece[][] {
		const pages: Piece[][] = [];
		let room = 0;
		this.segments.forEach((spoken, segment) => {
			for (const piece of pieces(spoken.points, segment)) {
				const length = piece.end - piece.start + 1;
				const page = pages.at(-1);
				if (page && length <= room) {
					page.push(piece);
					room -= length;
				} else {
					pages.push([piece]);
					room = PAGE - length;
				}
			}
		});
		return pages;
	}
}

/** A segment in pieces that fit on a page each, about equally long, cut between words. */
function pieces(points: string[], segment: number): Piece[] {
	const count = Math.ceil(points.length / PAGE);
	const size = points.length / count;
	const found: Piece[] = [];
	let start = 0;
	for (let i = 1; i < count; i++) {
		let cut = Math.round(i * size);
		while (cut > start && points[cut - 1] !== ' ') cut--;
		if (cut > start) {
			found.push({ segment, start, end: cut });
			start = cut;
		}
	}
	found.push({ segment, start, end: points.length });
	return found;
}
