// The tiles, as they are arranged (call/arrangement.ts): a tile moves only when someone comes, leaves, is put in front or
// shares, or when the viewer wants it elsewhere.
import { arrange, type Arrangement, type Person, type Share } from '@/call/live'
import { useT } from '@/i18n'
import { Beside } from './Beside'
import { GridTiles, seatsOf } from './GridTiles'
import { Presentation } from './Presentation'
import { PersonTile, TileList, type Drawn } from './TileList'

interface Props {
  people: readonly Person[]
  shares: readonly Share[]
  /** Identities of those whom a host has put in front. */
  spotlight: readonly string[]
  drawn: Drawn
}

export function Tiles({ drawn, ...present }: Props) {
  const t = useT()
  const self = present.people.find((person) => person.self)
  return (
    <>
      <Arranged arrangement={arrange(present, drawn.view)} drawn={drawn} />
      {self && drawn.view.selfView === 'small' ? (
        <TileList className="self-small" label={t('stage.self')} drawn={drawn}><PersonTile person={self} drawn={drawn} first /></TileList>
      ) : null}
    </>
  )
}

function Arranged({ arrangement, drawn }: { arrangement: Arrangement; drawn: Drawn }) {
  switch (arrangement.is) {
    case 'grid':
      return <GridTiles seats={arrangement.seats} drawn={drawn} />
    case 'front':
      return <Beside className="presentation spotlight" people={arrangement.others} drawn={drawn} large={<GridTiles seats={seatsOf(arrangement.front)} drawn={drawn} />} />
    case 'speaker':
      return <Beside className="presentation spotlight speaker" people={arrangement.people} drawn={drawn} large={<GridTiles seats={seatsOf([arrangement.speaker])} drawn={drawn} />} />
    case 'presentation':
      return <Presentation {...arrangement} drawn={drawn} />
  }
}
