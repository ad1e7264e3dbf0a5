import pytest
from datetime import datetime, timedelta
from portal.core import clock, db
from portal.core.ids import uuid7
from tests.browser.site import Site
from tests.browser.world import World
pytestmark = pytest.mark.browser
async def test_shots(site: Site, english: World, chinese: World) -> None:
    for world, lang in ((english,"en"),(chinese,"zh")):
        async with db.unit_of_work(world.factory) as session:
            c = await db.driver(session)
            m = await c.fetchrow("select id, party_id from member where tenant_id=$1 and id=$2", world.factory.tenant_id, world.supplier.member_id)
            for n,(state,err,ch,summary) in enumerate([("sent","","telegram","Release 27 is published: please confirm 3 deliveries\nFC-2026-021 · Castings"),("failed","blocked by the user","telegram","Please confirm a delivery\nA100 Bearing housing · FC-2026-021"),("waiting","","email",""),("dead","It was answered meanwhile.","portal","")]):
                await c.execute("insert into dispatch (tenant_id,id,party_id,member_id,kind,object_kind,object_id,channel,address,state,silent,attempts,next_try,message_id,summary,error,created_at,sent_at) values ($1,$2,$3,$4,'to_confirm','schedule_line',$5,$6,'x',$7,false,1,$8,'',$9,$10,now(),now())", world.factory.tenant_id, uuid7(), m["party_id"], m["id"], uuid7(), ch, state, clock.now()+timedelta(hours=3) if state=="waiting" else None, summary, err)
        for width in (1440, 390):
            for who, path in (("factory","/messages"),("factory","/profile/notifications"),("","/forgotten"),("","/sign-in"),("","/new-password/{password_link}")):
                context = await site.person(world, who, width, locale="zh-CN" if lang=="zh" else "en-GB")
                page = await context.new_page()
                await page.goto(path.format(**world.ids))
                await page.screenshot(path=f"/tmp/w/nt/{lang}-{width}-{path.split('/')[1]}-{path.split('/')[-1][:5]}.png", full_page=True)
                await context.close()
