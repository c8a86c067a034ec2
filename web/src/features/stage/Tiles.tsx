// The tiles, as they are arranged (call/arrangement.ts): a tile moves only when someone comes, leaves, is put in front or
// shares, or when the viewer wants it elsewhere.
import { Eye, UserRound } from 'lucide-react'
import { arrange, type Arrangement, type Person, type Share } from '@/call/live'
import { useT } from '@/i18n'
import { Button } from '@/ui'
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
  /** Said where nobody else is there and one does not see oneself among the others. */
  empty: string
}

export function Tiles({ drawn, empty, ...present }: Props) {
  const t = useT()
  const self = present.people.find((person) => person.self)
  const arrangement = arrange(present, drawn.view)
  const nobody = self !== undefined && arrangement.is === 'grid' && arrangement.seats.length === 0
  return (
    <>
      {nobody ? <Alone said={empty} hidden={drawn.view.selfView === 'hidden'} onShow={drawn.onSelf} /> : <Arranged arrangement={arrangement} drawn={drawn} />}
      {self && drawn.view.selfView === 'small' ? (
        <TileList className="self-small" label={t('stage.self')} drawn={drawn}><PersonTile person={self} drawn={drawn} first /></TileList>
      ) : null}
    </>
  )
}

/** Nobody else is there, and one's own picture is not among the others. */
function Alone({ said, hidden, onShow }: { said: string; hidden: boolean; onShow: () => void }) {
  const t = useT()
  return (
    <div className="grid alone" data-testid="alone">
      <UserRound aria-hidden="true" />
      <p>{said}</p>
      <p className="sm">{t(hidden ? 'stage.self.hidden.alone' : 'stage.self.small.alone')}</p>
      <Button icon={<Eye aria-hidden="true" />} onClick={onShow}>{t('stage.self.do.show')}</Button>
    </div>
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
